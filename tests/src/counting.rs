//! A global allocator that counts, thread by thread.
//!
//! Law: a thread's counters are changed by that thread alone, so what one test allocates never shows
//! in the counts of another that runs beside it. Only who asks for it counts [`Everywhere`].

#![expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; this is the only file of the tree that has any"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

// Constant initial values without a destructor: the first use of such a cell allocates nothing and
// no use comes too late, which is what lets an allocator touch them.
thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// Whether all threads count together, and the bytes that they hold.
static IS_EVERYWHERE: AtomicBool = AtomicBool::new(false);
static HELD: AtomicI64 = AtomicI64::new(0);

/// The system's allocator, counted. A binary that wants counts declares it:
///
/// ```
/// use samsara_tests::counting::{CountingAllocator, Region};
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator;
///
/// let region = Region::start();
/// drop(Vec::<u8>::with_capacity(1000));
/// let counts = region.stop();
/// assert_eq!((counts.allocations, counts.peak_live), (1, 1000));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

// SAFETY: every call goes to `System` with the arguments it came with; counting touches only cells
// of the calling thread, and neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is the one of `System`.
        counted(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        counted(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above; the block came from `System`, because all of ours do.
        unsafe { System.dealloc(block, layout) };
        freed(layout.size());
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        let moved = counted(unsafe { System.realloc(block, layout, size) }, size);
        if !moved.is_null() {
            freed(layout.size());
        }
        moved
    }
}

/// A growing block counts as a new one beside the old: the allocator may hold both for a moment,
/// and a peak that is told too high is safe where one told too low is not.
fn counted(block: *mut u8, size: usize) -> *mut u8 {
    if !block.is_null() {
        ALLOCATIONS.set(ALLOCATIONS.get().wrapping_add(1));
        BYTES.set(BYTES.get().wrapping_add(size as u64));
        let live = LIVE.get().wrapping_add(signed(size));
        LIVE.set(live);
        PEAK.set(PEAK.get().max(live));
        note_everywhere(signed(size));
    }
    block
}

fn freed(size: usize) {
    LIVE.set(LIVE.get().wrapping_sub(signed(size)));
    note_everywhere(-signed(size));
}

fn note_everywhere(bytes: i64) {
    if IS_EVERYWHERE.load(Relaxed) {
        HELD.fetch_add(bytes, Relaxed);
    }
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// What one thread allocated between the start and the stop of a [`Region`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that gave memory; growing a block is one.
    pub allocations: u64,
    /// Bytes of all those blocks together, whether freed since or not.
    pub bytes_allocated: u64,
    /// The most bytes held at one moment, beyond what was held at the start. A block that another
    /// thread frees stays held here.
    pub peak_live: u64,
}

/// A stretch of work of all threads, of which there is one at a time. Blocks of before that are freed
/// meanwhile count against it.
#[derive(Debug)]
pub struct Everywhere(());

impl Everywhere {
    /// Starts to count on all threads, or gives nothing if somebody does already.
    #[must_use]
    pub fn start() -> Option<Self> {
        if IS_EVERYWHERE.swap(true, Relaxed) {
            return None;
        }
        HELD.store(0, Relaxed);
        Some(Self(()))
    }

    /// Bytes that are held now, beyond what was held at the start.
    #[must_use]
    pub fn held(&self) -> u64 {
        u64::try_from(HELD.load(Relaxed)).unwrap_or(0)
    }
}

impl Drop for Everywhere {
    fn drop(&mut self) {
        IS_EVERYWHERE.store(false, Relaxed);
    }
}

/// A stretch of one thread's work whose allocations are counted. Regions nest: the outer one sees
/// what the inner one saw.
#[derive(Debug)]
pub struct Region {
    allocations: u64,
    bytes: u64,
    live: i64,
    outer_peak: i64,
    /// The counters are the thread's: a region that moved away would read another's.
    stays: PhantomData<*const ()>,
}

impl Region {
    /// Starts to count on this thread.
    ///
    /// # Panics
    /// When the binary does not declare [`CountingAllocator`]: counts of zero would prove anything.
    #[must_use]
    pub fn start() -> Self {
        let before = ALLOCATIONS.get();
        drop(black_box(Box::new(0_u8)));
        assert_ne!(
            before,
            ALLOCATIONS.get(),
            "nothing is counted: this binary has no `#[global_allocator] static … : CountingAllocator`"
        );
        let live = LIVE.get();
        Self {
            allocations: ALLOCATIONS.get(),
            bytes: BYTES.get(),
            live,
            outer_peak: PEAK.replace(live),
            stays: PhantomData,
        }
    }

    /// Stops, and tells what was counted since the start.
    #[must_use]
    pub fn stop(self) -> Counts {
        Counts {
            allocations: ALLOCATIONS.get().wrapping_sub(self.allocations),
            bytes_allocated: BYTES.get().wrapping_sub(self.bytes),
            peak_live: u64::try_from(PEAK.get().wrapping_sub(self.live)).unwrap_or(0),
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        PEAK.set(PEAK.get().max(self.outer_peak));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: CountingAllocator = CountingAllocator;

    fn block(size: usize) -> Vec<u8> {
        black_box(Vec::with_capacity(size))
    }

    #[test]
    fn every_block_is_counted_with_its_size() {
        let region = Region::start();
        let held = (block(100), block(28));
        let counts = region.stop();
        drop(held);
        assert_eq!(counts, Counts { allocations: 2, bytes_allocated: 128, peak_live: 128 });
    }

    #[test]
    fn the_peak_is_of_what_lived_together() {
        let region = Region::start();
        drop(block(300));
        drop(block(500));
        let counts = region.stop();
        assert_eq!(counts, Counts { allocations: 2, bytes_allocated: 800, peak_live: 500 });
    }

    #[test]
    fn a_growing_block_counts_beside_its_old_self() {
        let mut held = block(1000);
        let region = Region::start();
        held.reserve_exact(3000);
        let counts = region.stop();
        drop(held);
        assert_eq!(counts, Counts { allocations: 1, bytes_allocated: 3000, peak_live: 3000 });
    }

    #[test]
    fn what_was_held_before_the_start_is_not_counted() {
        let held = block(10_000);
        let region = Region::start();
        drop(held);
        drop(block(64));
        assert_eq!(region.stop().peak_live, 0, "less is held than at the start");
    }

    #[test]
    fn a_block_that_grew_left_its_old_self_behind() {
        let mut held = block(1000);
        let region = Region::start();
        held.reserve_exact(3000);
        drop(held);
        drop(block(4500));
        assert_eq!(region.stop().peak_live, 3500, "a thousand was held at the start");
    }

    #[test]
    fn an_inner_region_hides_nothing_from_the_outer() {
        let outer = Region::start();
        drop(block(4096));
        let inner = Region::start();
        drop(block(16));
        assert_eq!(inner.stop().peak_live, 16);
        assert_eq!(outer.stop().peak_live, 4096);
    }

    #[test]
    fn another_thread_is_not_counted() {
        let (started, go) = std::sync::mpsc::channel::<()>();
        let neighbour = std::thread::spawn(move || {
            go.recv().expect("the other test thread is alive");
            block(1 << 20).capacity()
        });
        let region = Region::start();
        started.send(()).expect("the neighbour waits");
        let size = neighbour.join().expect("the neighbour only allocates");
        let counts = region.stop();
        assert!(counts.bytes_allocated < size as u64, "{counts:?}");
    }

    #[test]
    fn everywhere_sees_what_other_threads_hold_and_there_is_one_of_it() {
        let everywhere = Everywhere::start().expect("nobody else counts");
        assert!(Everywhere::start().is_none());
        // Other tests run beside this one, and hold far less.
        let held = std::thread::spawn(|| block(1 << 26)).join().expect("it allocates");
        assert!(everywhere.held() >= 1 << 25, "{}", everywhere.held());
        drop(held);
        assert!(everywhere.held() < 1 << 25, "{}", everywhere.held());
    }
}
