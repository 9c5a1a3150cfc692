//! Who changes something.

/// Who acts, and by which right.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The client or user.
    pub name: String,
    /// The right by which it acts.
    pub right: String,
    /// The request in which it acts.
    pub trace_id: Option<String>,
}
