//! Forms of a constant that programs share: a model's decoder, Jacobian and adjoint read the same weights.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::Tensor;

/// Address of the tensor, type of the form, which form.
type Key = (usize, TypeId, Vec<usize>);

/// A form belongs to programs, and each of these holds the tensor that it is made of. So while a form is alive, no other
/// tensor can come to lie at the address that it is known by.
static FORMS: Mutex<BTreeMap<Key, Weak<dyn Any + Send + Sync>>> = Mutex::new(BTreeMap::new());

/// The form of a constant that `key` describes; `make` runs if no program has it.
pub fn form<V: Send + Sync + 'static>(tensor: &Arc<Tensor>, key: Vec<usize>, make: impl FnOnce() -> V) -> Arc<V> {
    let mut forms = FORMS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (Arc::as_ptr(tensor).addr(), TypeId::of::<V>(), key);
    let known = forms.get(&key).and_then(Weak::upgrade).and_then(|form| form.downcast::<V>().ok());
    known.unwrap_or_else(|| {
        forms.retain(|_, form| form.strong_count() > 0);
        let form = Arc::new(make());
        let any: Arc<dyn Any + Send + Sync> = Arc::clone(&form) as _;
        forms.insert(key, Arc::downgrade(&any));
        form
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_made_once_and_let_go() {
        let tensor = Arc::new(Tensor::new([2], [1.0, 2.0]));
        let first = form(&tensor, vec![1], || vec![1.0_f32, 2.0]);
        assert!(Arc::ptr_eq(&first, &form(&tensor, vec![1], || -> Vec<f32> { unreachable!() })));
        assert_eq!(*form(&tensor, vec![1], || vec![3.0_f64]), [3.0], "of another type");
        drop(first);
        assert_eq!(*form(&tensor, vec![1], || vec![5.0_f32]), [5.0], "nobody kept it");
    }
}
