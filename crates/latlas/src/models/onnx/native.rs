//! A decoder asked in the number type it runs in: arrays are read where they lie, and answers are not widened.

use latlas_graph::execute::Real;

use super::OnnxDecoder;
use super::compiled::Compiled;
use super::network::Purpose;
use crate::error::{Error, Result};
use crate::models::Decoder;

/// What is asked of a decoder at n latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// x = f(z): `[n, D]`.
    Decode,
    /// Df(z) column by column: `[n, d, D]`.
    Columns,
    /// Df(z) v of k tangents a sample: `[n, k, d]` → `[n, k, D]`.
    Jvp(usize),
    /// Df(z)ᵀ u of k cotangents a sample: `[n, k, D]` → `[n, k, d]`.
    Vjp(usize),
}

/// A number type in which decoders run.
pub trait Native: Real {
    /// Runs a program of this type.
    #[doc(hidden)]
    fn execute(compiled: &Compiled, n: usize, arguments: &[&[Self]], output: (usize, usize)) -> Option<Result<Vec<Self>>>;
}

impl Native for f32 {
    fn execute(compiled: &Compiled, n: usize, arguments: &[&[Self]], output: (usize, usize)) -> Option<Result<Vec<Self>>> {
        compiled.single().map(|program| super::compiled::take(program, n, arguments, output))
    }
}

impl Native for f64 {
    fn execute(compiled: &Compiled, n: usize, arguments: &[&[Self]], output: (usize, usize)) -> Option<Result<Vec<Self>>> {
        compiled.double().map(|program| super::compiled::take(program, n, arguments, output))
    }
}

impl OnnxDecoder {
    /// Answers at latents `[n, d]`, with a condition `[n, c]` where the decoder has one and vectors where they are asked about,
    /// all in row-major order and in the type that the decoder runs in ([`OnnxDecoder::dtype`]).
    ///
    /// # Errors
    /// Arrays of the wrong size or type; what goes wrong in the graph.
    pub fn ask<T: Native>(&self, ask: Ask, n: usize, latents: &[T], condition: Option<&[T]>, vectors: Option<&[T]>) -> Result<Vec<T>> {
        let (d, big_d) = (self.latent_dim(), self.ambient_dim());
        let takes = match ask {
            Ask::Jvp(k) => Some(k * d),
            Ask::Vjp(k) => Some(k * big_d),
            Ask::Decode | Ask::Columns => None,
        };
        let expected = [("latents", Some(d), Some(latents)), ("condition", self.condition_dim(), condition), ("vectors", takes, vectors)];
        for (what, takes, given) in expected {
            let (takes, got) = (takes.map_or(0, |width| n * width), given.map_or(0, <[T]>::len));
            if takes != got {
                let hint = (what == "condition" && got == 0).then(|| "give it with --condition".into());
                return Err(Error::Shape { what: format!("{what}: {n} samples take {takes} values, got {got}"), hint });
            }
        }
        let (output, rows) = match ask {
            Ask::Decode => (0, 1),
            Ask::Columns => (1, d),
            Ask::Jvp(k) | Ask::Vjp(k) => (1, k),
        };
        let (network, purpose) = (&self.network, self.purpose(ask));
        if matches!(ask, Ask::Columns) && !network.is_within_budget(purpose)? {
            return self.columns_in_blocks(n, latents, condition);
        }
        let mut arguments: Vec<&[T]> = vec![&[]; network.graph.inputs.len()];
        arguments[network.input] = latents;
        if let (Some(i), Some(condition)) = (network.condition, condition) {
            arguments[i] = condition;
        }
        arguments.extend(vectors);
        let compiled = network.program(purpose)?;
        let other = || Error::Input {
            what: format!("the decoder runs in {}", self.dtype().name()),
            hint: Some("give numbers of this type".into()),
        };
        T::execute(&compiled, n, &arguments, (output, rows)).ok_or_else(other)?
    }

    /// Columns too many to be made at once.
    fn columns_in_blocks<T: Native>(&self, n: usize, latents: &[T], condition: Option<&[T]>) -> Result<Vec<T>> {
        let wide = |values: &[T], width: usize| super::compiled::array2(n, width, values.iter().map(|x| x.to_f64()).collect());
        let z = wide(latents, self.latent_dim())?;
        let condition = condition.map(|values| wide(values, self.condition_dim().unwrap_or(0))).transpose()?;
        let at = self.linearize(z.view(), condition.as_ref().map(|c| c.view()))?;
        Ok(at.columns()?.into_iter().map(T::from_f64).collect())
    }

    fn purpose(&self, ask: Ask) -> Purpose {
        match ask {
            Ask::Decode => Purpose::Value(self.output),
            Ask::Columns => Purpose::Columns(self.output),
            Ask::Jvp(k) => Purpose::Jvp(self.output, k),
            Ask::Vjp(k) => Purpose::Vjp(self.output, k),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::builtin_model;
    use crate::models::onnx::Options;
    use crate::settings::Dtype;
    use ndarray::{Array2, Array3};

    /// The answers are those of the linearisation, which widens them.
    #[test]
    fn answers_are_those_in_double_precision_before_they_were_widened() {
        let decoder = OnnxDecoder::from_bytes("digits", builtin_model("digits-vae").unwrap(), &Options::default()).unwrap();
        let z = Array2::from_shape_fn((5, 2), |(s, i)| (s as f64 - 2.0) * 0.3 + i as f64 * 0.7);
        let v = Array3::from_shape_fn((5, 3, 2), |(s, t, i)| ((s + 2 * t + 5 * i) as f64).sin());
        let u = Array3::from_shape_fn((5, 2, 64), |(s, t, i)| ((s + 3 * t + 7 * i) as f64).cos());
        let narrow = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x as f32).collect::<Vec<f32>>();
        let (z32, v32, u32) = (narrow(&mut z.iter().copied()), narrow(&mut v.iter().copied()), narrow(&mut u.iter().copied()));
        let at = decoder.linearize(z.view(), None).unwrap();
        let wide = [
            (Ask::Decode, None, narrow(&mut at.decoded().unwrap().iter().copied())),
            (Ask::Columns, None, narrow(&mut at.columns().unwrap().iter().copied())),
            (Ask::Jvp(3), Some(&v32[..]), narrow(&mut at.jvp(v.view()).unwrap().iter().copied())),
            (Ask::Vjp(2), Some(&u32[..]), narrow(&mut at.vjp(u.view()).unwrap().iter().copied())),
        ];
        for (ask, vectors, expected) in wide {
            assert_eq!(decoder.ask(ask, 5, &z32, None, vectors).unwrap(), expected, "{ask:?}");
        }
        assert!(decoder.ask::<f64>(Ask::Decode, 1, &[0.0, 0.0], None, None).unwrap_err().to_string().contains("f32"));
        assert!(decoder.ask(Ask::Decode, 2, &z32, None, None).is_err());
        let precise = decoder.in_type(Dtype::F64).unwrap();
        assert_eq!(precise.ask(Ask::Decode, 1, &[0.5, -0.5], None, None).unwrap().len(), 64);
    }
}
