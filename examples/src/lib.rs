//! Small programs that assert their own outcome: `cargo run -p samsara-examples --example NAME`.
