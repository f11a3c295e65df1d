//! Activation functions.

use super::super::call::Call;
use super::super::value::Value;
use super::Entry;
use super::elementwise::map;
use crate::{Result, lower};

/// The operators of this file. Elu, Celu and Softsign have no kink with their usual settings.
pub const TABLE: &[Entry] = &[
    Entry::kinked("Relu", None, |c| map(c, lower::relu)),
    Entry::kinked("LeakyRelu", None, |c| one(c, ("alpha", 0.01), lower::leaky_relu)),
    Entry::kinked("PRelu", None, prelu),
    Entry::kinked("ThresholdedRelu", None, |c| one(c, ("alpha", 1.0), lower::thresholded_relu)),
    Entry::new("Elu", None, |c| one(c, ("alpha", 1.0), lower::elu)),
    Entry::new("Celu", None, |c| one(c, ("alpha", 1.0), lower::celu)),
    Entry::kinked("Selu", None, |c| {
        // The defaults as the standard writes them, in single precision.
        two(c, ("alpha", 1.673_263_192_176_818_8), ("gamma", 1.050_700_984_001_159_7), lower::selu)
    }),
    Entry::new("Gelu", None, |c| {
        let tanh = c.string("approximate", "none")? == "tanh";
        map(c, if tanh { lower::gelu_tanh } else { lower::gelu })
    }),
    Entry::new("Swish", None, |c| one(c, ("alpha", 1.0), lower::silu)),
    Entry::new("Mish", None, |c| map(c, lower::mish)),
    Entry::kinked("HardSigmoid", None, |c| two(c, ("alpha", f64::from(0.2f32)), ("beta", 0.5), lower::hard_sigmoid)),
    Entry::kinked("HardSwish", None, |c| map(c, lower::hard_swish)),
    Entry::new("Softsign", None, |c| map(c, lower::softsign)),
    Entry::kinked("Shrink", None, |c| two(c, ("lambd", 0.5), ("bias", 0.0), lower::shrink)),
    Entry::kinked("Clip", None, clip),
];

type Setting = (&'static str, f64);

fn one(c: &mut Call<'_>, a: Setting, f: fn(&mut crate::Builder, crate::NodeId, f64) -> crate::NodeId) -> Result<Vec<Value>> {
    let a = c.float(a.0, a.1)?;
    map(c, |b, x| f(b, x, a))
}

fn two(
    c: &mut Call<'_>,
    first: Setting,
    second: Setting,
    f: fn(&mut crate::Builder, crate::NodeId, f64, f64) -> crate::NodeId,
) -> Result<Vec<Value>> {
    let (first, second) = (c.float(first.0, first.1)?, c.float(second.0, second.1)?);
    map(c, |b, x| f(b, x, first, second))
}

/// Before operator set 7 a list of slopes was one a channel.
fn prelu(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, slopes) = (call.shape(0)?, call.shape(1)?);
    if call.opset < 7 && shape.len() > 1 && slopes == [shape[1]] {
        call.beside(1, &[0])?;
        let (x, slope, batch) = (call.node(0)?, call.node(1)?, call.beside(0, &[1])?);
        let slope = lower::along_channels(call.b, slope, shape.len())?;
        let y = lower::prelu(call.b, x, slope)?;
        return call.result(y, call.dtype(0)?, batch);
    }
    let (nodes, batch) = call.broadcast(&[0, 1])?;
    let y = lower::prelu(call.b, nodes[0], nodes[1])?;
    call.result(y, call.dtype(0)?, batch)
}

/// The bounds are inputs, before operator set 11 they were attributes.
fn clip(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (x, shape, batch) = (call.node(0)?, call.shape(0)?, call.batch(0)?);
    let mut bounds = [None; 2];
    for (i, name) in ["min", "max"].into_iter().enumerate() {
        bounds[i] = match call.float_opt(name)? {
            Some(bound) => Some(call.b.filled(&[], bound)),
            None => call.optional_node(i + 1)?,
        };
        if let Some(bound) = bounds[i] {
            if call.b.shape(bound).iter().product::<usize>() != 1 {
                return Err(call.refuse(format!("bound {name} must be one number, it has shape {:?}", call.b.shape(bound)), None));
            }
            let bound = call.b.reshape(bound, &[]);
            bounds[i] = Some(call.b.expand(bound, &shape));
        }
    }
    let y = lower::clip(call.b, x, bounds[0], bounds[1])?;
    call.result(y, call.dtype(0)?, batch)
}
