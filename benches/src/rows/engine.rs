//! `engine.*`: the walk, the door, the waits and the cost of a Node.
//!
//! Law: every figure comes from the public way into a Node, and every measured walk is checked for
//! what it gave.

mod cost;
mod door;
mod parts;
mod pingpong;
mod wait;
mod walk;

pub(super) use self::{
    cost::NODE,
    door::{INVOKE, OVERLOAD},
    parts::{chain, node, payload, program},
    pingpong::PINGPONG,
    wait::{ASYNC, SUSPENDED},
    walk::{BESIDE, CHAIN, FAN},
};
