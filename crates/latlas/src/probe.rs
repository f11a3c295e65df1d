//! A batch of samples and, lazily and once, everything known of it.

/// A batch: whoever asks first for a Jacobian or a factorisation pays, the rest share.
pub struct Probe<'a> {
    _decoder: Option<&'a dyn crate::models::Decoder>,
}
