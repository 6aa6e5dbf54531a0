//! One waker for all tasks, lent to the one that is polled.
//!
//! A task of ours is found through the executor, not through its waker, so that the waker is only
//! there for foreign futures. They clone it if they want to keep it, and only then it becomes an
//! object of its own that knows its task.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

use super::{Inbox, TaskId};

/// The waker that is lent, and whom to.
pub struct Lent {
    waker: ManuallyDrop<Waker>,
    /// What the waker points to; shared, so that it stays where it is when this moves.
    borrower: Arc<Borrower>,
}

struct Borrower {
    /// Atomic, since a reference to a waker may be used from another thread.
    task: AtomicU32,
    inbox: Arc<Inbox>,
}

/// A clone: it belongs to one task for ever.
struct Kept {
    task: TaskId,
    inbox: Arc<Inbox>,
}

impl Wake for Kept {
    fn wake(self: Arc<Self>) {
        self.inbox.wake(self.task);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.inbox.wake(self.task);
    }
}

#[allow(unsafe_code)]
impl Lent {
    pub fn new(inbox: Arc<Inbox>) -> Self {
        let borrower = Arc::new(Borrower {
            task: AtomicU32::new(0),
            inbox,
        });
        let data = Arc::as_ptr(&borrower).cast();
        // SAFETY: the functions of `TABLE` keep the contract of `RawWaker`: `clone` gives an
        // independent waker, `wake_by_ref` does not consume, `drop` frees nothing since nothing is
        // owned, and all of them use only an atomic and an `Arc`, so that any thread may call them.
        // `data` stays valid as long as `Lent`: the waker never leaves it by value (`waker` gives a
        // reference that borrows `Lent`, a clone does not point to `data`).
        let waker = unsafe { Waker::from_raw(RawWaker::new(data, &TABLE)) };
        Self {
            waker: ManuallyDrop::new(waker),
            borrower,
        }
    }

    /// The waker, for a context.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// From now on the waker is that of this task.
    #[inline]
    pub fn lend_to(&self, task: TaskId) {
        self.borrower.task.store(task, Ordering::Relaxed);
    }

    /// What tells the waker from any other.
    #[inline]
    pub fn data(&self) -> *const () {
        self.waker.data()
    }
}

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, nothing);

/// # Safety
///
/// `data` points to a live [`Borrower`].
#[allow(unsafe_code)]
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: as the caller promises; only shared references to a `Borrower` exist.
    let borrower = unsafe { &*data.cast::<Borrower>() };
    let kept = Arc::new(Kept {
        task: borrower.task.load(Ordering::Relaxed),
        inbox: Arc::clone(&borrower.inbox),
    });
    let waker = ManuallyDrop::new(Waker::from(kept));
    RawWaker::new(waker.data(), waker.vtable())
}

/// # Safety
///
/// `data` points to a live [`Borrower`].
#[allow(unsafe_code)]
unsafe fn wake(data: *const ()) {
    // SAFETY: as the caller promises. The lent waker owns nothing, so there is nothing to consume.
    unsafe { wake_by_ref(data) };
}

/// # Safety
///
/// `data` points to a live [`Borrower`].
#[allow(unsafe_code)]
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: as the caller promises; only shared references to a `Borrower` exist.
    let borrower = unsafe { &*data.cast::<Borrower>() };
    borrower.inbox.wake(borrower.task.load(Ordering::Relaxed));
}

/// The lent waker owns nothing.
fn nothing(_: *const ()) {}
