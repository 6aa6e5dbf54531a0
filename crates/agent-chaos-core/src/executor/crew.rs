//! Where tasks lie.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;

/// Tasks that are polled by their place.
pub trait Crew {
    /// Polls a task; whether it has finished now. One that has finished before is passed over.
    fn poll(&mut self, place: u32, context: &mut Context<'_>) -> bool;

    /// Has the processor fetch a task that will be polled before long.
    fn fetch(&self, place: u32);
}

/// Tasks of one kind, side by side.
pub struct Crowd<F> {
    /// Never handed out, moved or resized: a task stays where it is until it is dropped there.
    tasks: Box<[Slot<F>]>,
    /// One bit for each task. (An `Option` around a task would take another cache line.)
    finished: Box<[u64]>,
}

/// A task, on cache lines of its own.
#[repr(align(64))]
struct Slot<F>(F);

impl<F: Future<Output = ()>> Crowd<F> {
    /// `count` tasks.
    pub fn new(count: u32, future: impl FnMut(u32) -> F) -> Self {
        Self {
            tasks: (0..count).map(future).map(Slot).collect(),
            finished: vec![0; count.div_ceil(64) as usize].into(),
        }
    }
}

impl<F: Future<Output = ()>> Crew for Crowd<F> {
    #[inline]
    #[allow(unsafe_code)]
    fn poll(&mut self, place: u32, context: &mut Context<'_>) -> bool {
        let bits = &mut self.finished[place as usize / 64];
        let bit = 1 << (place % 64);
        // A task may have been woken twice, or finished since.
        if *bits & bit != 0 {
            return false;
        }
        let Slot(task) = &mut self.tasks[place as usize];
        // SAFETY: `tasks` is private to this module. It is made once, by `new`, before any task is
        // polled, and a boxed slice never moves what it owns. This function is the only one that
        // reaches a task, and it gives out no reference to it. So a task that has been polled is
        // not moved before it is dropped, with the slice.
        let task = unsafe { Pin::new_unchecked(task) };
        let finished = task.poll(context).is_ready();
        if finished {
            *bits |= bit;
        }
        finished
    }

    #[inline]
    fn fetch(&self, place: u32) {
        fetch(&self.tasks[place as usize]);
    }
}

/// Has the processor fetch the cache lines of a value; does nothing where there is no way to ask.
#[inline]
fn fetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = std::ptr::from_ref(value).cast::<i8>();
        for line in (0..size_of::<T>()).step_by(64) {
            // SAFETY: the address lies within `value`, and a prefetch neither reads nor writes.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(line)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Tasks of any kind, each in a box of its own.
#[derive(Default)]
pub struct Mixed(Vec<Option<Pin<Box<dyn Future<Output = ()>>>>>);

impl Mixed {
    /// Adds a task; gives its place.
    pub fn add(&mut self, task: Pin<Box<dyn Future<Output = ()>>>) -> usize {
        self.0.push(Some(task));
        self.0.len() - 1
    }

    /// As [`Crew::poll`].
    pub fn poll(&mut self, place: u32, context: &mut Context<'_>) -> bool {
        let slot = &mut self.0[place as usize];
        let Some(task) = slot else { return false };
        let finished = task.as_mut().poll(context).is_ready();
        if finished {
            *slot = None;
        }
        finished
    }
}
