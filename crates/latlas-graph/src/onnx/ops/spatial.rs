//! Convolutions, pools and resizing over spatial axes.

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::value::{BatchAxis, Value};
use super::Entry;
use crate::lower::{self, Sliding};
use crate::{Kind, NodeId, Result};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("Conv", Some(Kind::Bilinear), conv),
    Entry::new("ConvTranspose", Some(Kind::Bilinear), conv_transpose),
    Entry::new("AveragePool", Some(Kind::Linear), average_pool),
    Entry::kinked("MaxPool", None, max_pool),
    Entry::kinked("LpPool", None, lp_pool),
    Entry::new("GlobalAveragePool", Some(Kind::Linear), |c| global(c, |b, x, axes, _| Ok(lower::mean(b, x, axes)))),
    Entry::kinked("GlobalMaxPool", None, |c| global(c, |b, x, axes, _| lower::max(b, x, axes))),
    Entry::kinked("GlobalLpPool", None, |c| global(c, lower::lp_norm)),
];

/// An image `[N, C, spatial..]`: its shape and where the batch sits, which must be in front.
fn image(call: &mut Call<'_>) -> Result<(Vec<usize>, Option<BatchAxis>)> {
    let shape = call.shape(0)?;
    if shape.len() < 3 {
        return Err(call.refuse(format!("its input must have the axes N, C and at least one in space, it has shape {shape:?}"), None));
    }
    let batch = call.beside(0, &(1..shape.len()).collect::<Vec<_>>())?;
    Ok((shape, batch))
}

/// The geometry that the attributes describe, without `auto_pad`.
fn sliding(call: &Call<'_>, kernel: &[usize]) -> Result<Sliding> {
    let n = kernel.len();
    let list = |name: &str, length: usize, default: i64| -> Result<Vec<usize>> {
        let given = call.ints_attribute(name)?.unwrap_or_else(|| vec![default; length]);
        let sizes = given.iter().map(|&v| usize::try_from(v)).collect::<Result<Vec<_>, _>>();
        sizes
            .ok()
            .filter(|s| s.len() == length)
            .ok_or_else(|| call.refuse(format!("attribute {name} is {given:?}, expected {length} numbers that are not negative"), None))
    };
    let (strides, dilations, pads) = (list("strides", n, 1)?, list("dilations", n, 1)?, list("pads", 2 * n, 0)?);
    if kernel.iter().chain(&strides).chain(&dilations).any(|&v| v == 0) {
        return Err(call.refuse(format!("kernel {kernel:?}, strides {strides:?} and dilations {dilations:?} must be positive"), None));
    }
    let (before, after) = (pads[..n].to_vec(), pads[n..].to_vec());
    Ok(Sliding { kernel: kernel.to_vec(), strides, dilations, before, after, ceil: call.flag("ceil_mode", false)? })
}

/// What `auto_pad` asks for.
#[derive(PartialEq)]
enum Padding {
    Given,
    Valid,
    Same { odd_at_end: bool },
}

fn padding(call: &Call<'_>) -> Result<Padding> {
    match &*call.string("auto_pad", "NOTSET")? {
        "NOTSET" => Ok(Padding::Given),
        "VALID" => Ok(Padding::Valid),
        "SAME_UPPER" => Ok(Padding::Same { odd_at_end: true }),
        "SAME_LOWER" => Ok(Padding::Same { odd_at_end: false }),
        other => Err(call.refuse(format!("auto_pad {other:?} is not known"), None)),
    }
}

/// The geometry of windows over an input, `auto_pad` resolved.
fn windows(call: &Call<'_>, kernel: &[usize], input: &[usize]) -> Result<Sliding> {
    let mut sliding = sliding(call, kernel)?;
    match padding(call)? {
        Padding::Given => {}
        Padding::Valid => (sliding.before, sliding.after) = (vec![0; kernel.len()], vec![0; kernel.len()]),
        Padding::Same { odd_at_end } => sliding.pad_same(input, odd_at_end)?,
    }
    Ok(sliding)
}

/// The spatial axes of a weight, which must be those of the image.
fn kernel(call: &Call<'_>, shape: &[usize]) -> Result<Vec<usize>> {
    let weight = call.shape(1)?;
    let stated = call.ints_attribute("kernel_shape")?;
    if weight.len() == shape.len() && stated.is_none_or(|k| k.iter().map(|&v| v as usize).eq(weight[2..].iter().copied())) {
        return Ok(weight[2..].to_vec());
    }
    Err(call.refuse(format!("a weight of shape {weight:?} does not fit an input of shape {shape:?} and the kernel_shape"), None))
}

/// Weight and bias, which must be the same for every sample.
fn weights(call: &mut Call<'_>) -> Result<(NodeId, Option<NodeId>)> {
    for i in 1..call.len() {
        let axes: Vec<usize> = (0..call.shape(i)?.len()).collect();
        call.beside(i, &axes)?;
    }
    Ok((call.node(1)?, call.optional_node(2)?))
}

fn groups(call: &Call<'_>) -> Result<usize> {
    let group = call.int("group", 1)?;
    usize::try_from(group).ok().filter(|&g| g > 0).ok_or_else(|| call.refuse(format!("group is {group}"), None))
}

fn conv(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, batch) = image(call)?;
    let kernel = kernel(call, &shape)?;
    let (sliding, groups) = (windows(call, &kernel, &shape[2..])?, groups(call)?);
    let output = sliding.output(&shape[2..])?;
    call.elements(&[&[shape[0], call.shape(1)?[0]], &output[..]].concat())?;
    let x = call.node(0)?;
    let (w, bias) = weights(call)?;
    let y = lower::conv(call.b, x, w, bias, &sliding, groups)?;
    call.result(y, call.dtype(0)?, batch)
}

fn conv_transpose(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, batch) = image(call)?;
    let kernel = kernel(call, &shape)?;
    let (mut sliding, groups) = (sliding(call, &kernel)?, groups(call)?);
    let output = transposed(call, &mut sliding, &shape[2..])?;
    let channels = call.shape(1)?[1].saturating_mul(groups);
    call.elements(&[&[shape[0], channels], &output[..]].concat())?;
    let x = call.node(0)?;
    let (w, bias) = weights(call)?;
    let y = lower::conv_transpose(call.b, x, w, bias, &sliding, groups, &output)?;
    call.result(y, call.dtype(0)?, batch)
}

/// The output size of a transposed convolution; where it is given, or asked to be stride · input, the padding follows.
fn transposed(call: &Call<'_>, sliding: &mut Sliding, input: &[usize]) -> Result<Vec<usize>> {
    let n = input.len();
    let extra = call.ints_attribute("output_padding")?.unwrap_or_else(|| vec![0; n]);
    let extra: Vec<usize> = extra.iter().filter_map(|&v| usize::try_from(v).ok()).collect();
    let stated = call.ints_attribute("output_shape")?;
    let padding = padding(call)?;
    let wanted: Option<Vec<usize>> = match (&stated, &padding) {
        (Some(sizes), _) => Some(sizes.iter().rev().take(n).rev().filter_map(|&v| usize::try_from(v).ok()).collect()),
        (None, Padding::Same { .. }) => Some((0..n).map(|i| input[i].saturating_mul(sliding.strides[i])).collect()),
        _ => None,
    };
    if extra.len() != n || wanted.as_ref().is_some_and(|w| w.len() != n) {
        return Err(call.refuse(format!("output_padding {extra:?} or output_shape {stated:?} does not fit {n} spatial axes"), None));
    }
    if wanted.is_some() || padding == Padding::Valid {
        (sliding.before, sliding.after) = (vec![0; n], vec![0; n]);
    }
    let natural = lower::transposed_output(sliding, input, &extra)?;
    let Some(wanted) = wanted else { return Ok(natural) };
    for i in 0..n {
        let total = natural[i].saturating_sub(wanted[i]);
        let odd_at_end = padding == Padding::Same { odd_at_end: true };
        sliding.before[i] = if odd_at_end { total / 2 } else { total - total / 2 };
        sliding.after[i] = total - sliding.before[i];
    }
    Ok(wanted)
}

/// The windows of a pool and the size of their table, checked.
fn pool(call: &mut Call<'_>) -> Result<(NodeId, Sliding, Option<BatchAxis>)> {
    let (shape, batch) = image(call)?;
    let kernel = call.ints_attribute("kernel_shape")?.unwrap_or_default();
    let kernel: Vec<usize> = kernel.iter().map(|&v| usize::try_from(v).unwrap_or(0)).collect();
    if kernel.len() != shape.len() - 2 {
        return Err(call.refuse(format!("kernel_shape {kernel:?} does not fit an input of shape {shape:?}"), None));
    }
    let sliding = windows(call, &kernel, &shape[2..])?;
    let output = sliding.output(&shape[2..])?;
    call.elements(&[&shape[..2], &output[..]].concat())?;
    Ok((call.node(0)?, sliding, batch))
}

fn average_pool(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (x, sliding, batch) = pool(call)?;
    let with_padding = call.flag("count_include_pad", false)?;
    let y = lower::average_pool(call.b, x, &sliding, with_padding)?;
    call.result(y, call.dtype(0)?, batch)
}

fn lp_pool(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (x, sliding, batch) = pool(call)?;
    let p = norm(call)?;
    let y = lower::lp_pool(call.b, x, &sliding, p)?;
    call.result(y, call.dtype(0)?, batch)
}

fn norm(call: &Call<'_>) -> Result<f64> {
    let p = call.int("p", 2)?;
    if p < 1 { Err(call.refuse(format!("p is {p}, it must be 1 or more"), None)) } else { Ok(p as f64) }
}

/// The second result is the flat position of each maximum, counted along columns first if `storage_order` is 1.
fn max_pool(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (x, sliding, batch) = pool(call)?;
    let (y, position) = lower::max_pool(call.b, x, &sliding)?;
    let mut values = vec![call.value(y, call.dtype(0)?, batch)];
    if call.wants(1) {
        if batch.is_some() {
            return Err(call.unsupported("positions of maxima count through the whole batch"));
        }
        let position = if call.flag("storage_order", false)? { column_major(call, x, position) } else { position };
        values.push(call.value(position, Dtype::I64, None));
    }
    Ok(values)
}

/// Row-major flat positions in x as positions in an image whose spatial axes are stored in reverse order.
fn column_major(call: &mut Call<'_>, x: NodeId, position: NodeId) -> NodeId {
    let shape = call.b.shape(x).to_vec();
    let (planes, spatial) = (shape[0] * shape[1], &shape[2..]);
    let place: usize = spatial.iter().product();
    let translated = (0..planes * place).map(|at| {
        let (mut rest, mut column, mut step) = (at % place, 0, place);
        for &n in spatial.iter().rev() {
            step /= n;
            column += rest % n * step;
            rest /= n;
        }
        (at - at % place + column) as f64
    });
    let table = crate::Tensor::new([planes * place], translated.collect::<Vec<_>>());
    let table = call.b.constant(table);
    call.b.take(table, position)
}

fn global(call: &mut Call<'_>, f: impl FnOnce(&mut crate::Builder, NodeId, &[usize], f64) -> Result<NodeId>) -> Result<Vec<Value>> {
    let (shape, batch) = image(call)?;
    let p = norm(call)?;
    let x = call.node(0)?;
    let y = f(call.b, x, &(2..shape.len()).collect::<Vec<_>>(), p)?;
    call.result(y, call.dtype(0)?, batch)
}
