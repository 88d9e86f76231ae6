//! Links, over whatever carries them, and what hostile ends may do to them.

#[path = "links/bench.rs"]
mod bench;
#[path = "links/conformance.rs"]
mod conformance;
#[path = "links/hostile.rs"]
mod hostile;
#[path = "links/identity.rs"]
mod identity;
#[path = "links/proof.rs"]
mod proof;
#[path = "links/stranger.rs"]
mod stranger;
