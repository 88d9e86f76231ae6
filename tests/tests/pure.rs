//! The purest level: plain functions and values, no thread, no clock, no file but golden vectors.

use samsara_tests::counting::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

mod pure {
    mod address;
    mod batch;
    mod delivery;
    mod envelope;
    mod frame;
    mod golden;
    mod hostile;
    mod journal;
    mod peer_id;
    mod storage;
    mod supervision;
    mod value;
}
