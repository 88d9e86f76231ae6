//! The purest level: plain functions and values, no thread, no clock, no file but golden vectors.

mod pure {
    mod address;
    mod envelope;
    mod frame;
    mod golden;
    mod hostile;
    mod peer_id;
    mod value;
}
