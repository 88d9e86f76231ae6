//! The laws of the tree itself, each one test: who imports whom, which words, how long, how reached.
//!
//! Law: a law is data and a pure function over a [`tidy::tree::Tree`] of texts, so that each is also
//! shown to fail on a tree with the fault planted. A failing law lists every violation at once.

mod tidy {
    mod arrows;
    mod crates;
    mod lengths;
    mod links;
    mod manifest;
    mod openings;
    mod order;
    mod packages;
    mod ranks;
    mod reach;
    mod source;
    pub(crate) mod tree;
    mod words;
}
