//! Tailcast.
fn main() {}
