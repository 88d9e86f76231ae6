//! Systems that reach each other over links: in memory, and over TCP.
//!
//! Law: outcomes are asserted, never durations; whatever is waited for is waited for by its word.

#[path = "links/exchange.rs"]
mod exchange;
#[path = "links/faults.rs"]
mod faults;
#[path = "links/processes.rs"]
mod processes;
#[path = "links/proxy.rs"]
mod proxy;
#[path = "links/refused.rs"]
mod refused;
#[path = "links/rig.rs"]
mod rig;
