//! Two couriers and what may happen between them, one thing a story.

mod ends;
mod fences;
mod limits;
mod named;
mod streams;
