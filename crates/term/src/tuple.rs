//! Tuples: shared, fixed rows of terms.

use std::ops::Deref;
use std::sync::Arc;

use crate::term::Term;

/// A tuple. Cheap to clone.
#[derive(Clone)]
pub struct Tuple(pub(crate) Arc<[Term]>);

impl Tuple {
    /// The elements.
    pub fn as_slice(&self) -> &[Term] {
        &self.0
    }
}

impl Deref for Tuple {
    type Target = [Term];

    fn deref(&self) -> &[Term] {
        &self.0
    }
}

impl From<Arc<[Term]>> for Tuple {
    fn from(items: Arc<[Term]>) -> Tuple {
        Tuple(items)
    }
}

impl From<Vec<Term>> for Tuple {
    fn from(items: Vec<Term>) -> Tuple {
        Tuple(items.into())
    }
}

impl<const N: usize> From<[Term; N]> for Tuple {
    fn from(items: [Term; N]) -> Tuple {
        Tuple(Arc::new(items))
    }
}

impl FromIterator<Term> for Tuple {
    fn from_iter<I: IntoIterator<Item = Term>>(items: I) -> Tuple {
        Tuple(items.into_iter().collect())
    }
}
