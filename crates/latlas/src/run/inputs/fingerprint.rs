//! Which inputs these are: what states of different runs are told apart by.

use ndarray::Dimension;
use sha2::{Digest, Sha256};

use super::Inputs;

impl Inputs {
    /// A digest of everything that values depend on beside the settings: records, arrays and prior.
    pub(in crate::run) fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        for record in &self.records {
            digest.update(format!("{}\0{}\0{:?}\0", record.role, record.sha256, record.shape));
        }
        digest.update(format!("{:?}", self.prior));
        digest.update(format!("{:?}", self.manifold.as_ref().map(|manifold| manifold.name())));
        let arrays = [&self.latents, &self.data, &self.condition];
        for array in arrays {
            hash_array(&mut digest, array.as_ref());
        }
        hash_array(&mut digest, self.jacobians.as_ref().map(|given| &given.values));
        hash_array(&mut digest, self.jacobians.as_ref().and_then(|given| given.decoded.as_ref()));
        hash_array(&mut digest, self.jacobians.as_ref().and_then(|given| given.log_det.as_ref()));
        self.codes.hash(&mut digest);
        digest.update(format!("{:?}", self.labels));
        crate::data::hexadecimal(&digest.finalize())
    }
}

pub(in crate::run) fn hash_array<D: Dimension>(digest: &mut Sha256, array: Option<&ndarray::Array<f64, D>>) {
    let Some(array) = array else { return digest.update("none") };
    digest.update(format!("{:?}", array.shape()));
    // Hashing goes faster in blocks than value by value.
    let mut block = Vec::with_capacity(1 << 16);
    for x in array {
        block.extend_from_slice(&x.to_le_bytes());
        if block.len() == 1 << 16 {
            digest.update(&block);
            block.clear();
        }
    }
    digest.update(&block);
}
