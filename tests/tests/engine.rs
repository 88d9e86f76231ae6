//! The engine by its public door: author a module, install it, feed it, read the steps.

use samsara_tests::counting::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

mod engine {
    mod anew;
    mod answers;
    mod backend;
    mod blocks;
    mod bootstrap;
    mod bus;
    mod callbacks;
    mod carried;
    mod config;
    mod constants;
    mod determinism;
    mod door;
    mod edges;
    mod expiry;
    mod fairness;
    mod flood;
    mod flow;
    mod gather;
    mod held;
    mod history;
    mod host;
    mod hostile;
    mod inbound;
    mod interleaved;
    mod jobs;
    mod later;
    mod listed;
    mod memory;
    mod moot;
    mod oracle;
    mod own_events;
    mod parts;
    mod peers;
    mod places;
    mod plain_onnx;
    mod restored;
    mod role;
    mod round;
    mod rows;
    mod sessions;
    mod settled;
    mod snapshot;
    mod state;
    mod surroundings;
    mod syscalls;
    mod taken_down;
    mod time;
    mod together;
    mod unplaced;
    mod wedge;
    mod wire;
}
