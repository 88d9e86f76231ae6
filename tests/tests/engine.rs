//! The engine by its public door: author a module, install it, feed it, read the steps.

use samsara_tests::counting::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

mod engine {
    mod anew;
    mod answers;
    mod backend;
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
    mod flood;
    mod flow;
    mod gather;
    mod history;
    mod host;
    mod hostile;
    mod inbound;
    mod jobs;
    mod later;
    mod moot;
    mod oracle;
    mod parts;
    mod peers;
    mod places;
    mod plain_onnx;
    mod restored;
    mod role;
    mod round;
    mod rows;
    mod sessions;
    mod snapshot;
    mod state;
    mod surroundings;
    mod syscalls;
    mod time;
    mod together;
    mod unplaced;
    mod wire;
}
