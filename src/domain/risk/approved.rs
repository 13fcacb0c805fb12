//! The proof, by type, that an order passed the gate.

/// Something that passed the gate. There is no public way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// Made by the gate next door, and by nobody else.
    pub(super) fn mint(value: T) -> Self {
        Self(value)
    }

    /// What was approved.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What was approved, to be sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}
