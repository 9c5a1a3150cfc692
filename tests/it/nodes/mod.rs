//! N: two or three nodes on one PostgreSQL. What one has spent or changed holds on the others; what happens to the
//! database, and to the sessions with it, makes nobody wrong.
//!
//! These need PostgreSQL, so plain `cargo test` leaves them out and says so; `tests/run` runs them.

mod changes;
mod clock;
mod cluster;
mod effective;
mod faults;
mod lost_answers;
mod replay;
mod settings;
mod slow;
mod starts;
mod waiting;
