//! One Node with its host: journal, cycle, recovery, on a disk that loses what a real one may lose.

use samsara_tests::counting::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

mod host {
    mod crash;
    mod driver;
    mod falls;
    mod files;
    mod poison;
    mod rebirth;
    mod tally;
}
