//! People without a server around them.
