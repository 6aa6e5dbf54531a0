//! Where tasks lie.

use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::Context;

use sealed::Sealed;

mod sealed {
    /// Cannot be named, and so not implemented, outside.
    pub trait Sealed {}

    impl<A, B, C, D> Sealed for super::Four<A, B, C, D> {}
    impl Sealed for super::Spawned {}
}

/// Tasks that are polled by their place.
pub trait Crew {
    /// Polls a task; whether it has finished now. One that has finished before is passed over.
    fn poll(&mut self, place: u32, context: &mut Context<'_>) -> bool;

    /// Has the processor fetch a task that will be polled before long.
    fn fetch(&self, place: u32);
}

/// All crews of an executor. Only the kinds here can be: the executor relies on `fetch` to do
/// nothing but read.
pub trait Crews: Sealed {
    /// Polls a task of a crew; whether it has finished now. One that has finished before is passed
    /// over.
    fn poll(&mut self, crew: usize, place: u32, context: &mut Context<'_>) -> bool;

    /// Has the processor fetch a task that will be polled before long.
    fn fetch(&self, crew: usize, place: u32);

    /// How many tasks there are of each crew, in the order in which they start.
    fn sizes(&self) -> Vec<usize>;
}

/// Four crews whose kinds are known when the program is compiled, so that a poll is a plain call.
pub struct Four<A, B, C, D>(pub Crowd<A>, pub Crowd<B>, pub Crowd<C>, pub Crowd<D>);

impl<A, B, C, D> Crews for Four<A, B, C, D>
where
    A: Future<Output = ()>,
    B: Future<Output = ()>,
    C: Future<Output = ()>,
    D: Future<Output = ()>,
{
    #[inline(always)]
    fn poll(&mut self, crew: usize, place: u32, context: &mut Context<'_>) -> bool {
        match crew {
            0 => self.0.poll(place, context),
            1 => self.1.poll(place, context),
            2 => self.2.poll(place, context),
            _ => self.3.poll(place, context),
        }
    }

    #[inline(always)]
    fn fetch(&self, crew: usize, place: u32) {
        match crew {
            0 => self.0.fetch(place),
            1 => self.1.fetch(place),
            2 => self.2.fetch(place),
            _ => self.3.fetch(place),
        }
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.0.len(), self.1.len(), self.2.len(), self.3.len()]
    }
}

/// Crews and single tasks of whatever kinds, added one by one.
#[derive(Default)]
pub struct Spawned {
    pub(super) crews: Vec<Box<dyn Crew>>,
    pub(super) mixed: Mixed,
}

impl Crews for Spawned {
    #[inline(always)]
    fn poll(&mut self, crew: usize, place: u32, context: &mut Context<'_>) -> bool {
        match self.crews.get_mut(crew) {
            Some(crew) => crew.poll(place, context),
            None => self.mixed.poll(place, context),
        }
    }

    #[inline(always)]
    fn fetch(&self, crew: usize, place: u32) {
        if let Some(crew) = self.crews.get(crew) {
            crew.fetch(place);
        }
    }

    fn sizes(&self) -> Vec<usize> {
        Vec::new()
    }
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
    /// `count` tasks, each made from its place.
    pub fn new(count: u32, future: impl FnMut(u32) -> F) -> Self {
        Self {
            tasks: (0..count).map(future).map(Slot).collect(),
            finished: vec![0; count.div_ceil(64) as usize].into(),
        }
    }

    fn len(&self) -> usize {
        self.tasks.len()
    }
}

impl<F: Future<Output = ()>> Crew for Crowd<F> {
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(never))]
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

/// Has the processor fetch the cache lines of a value, by loads that nobody waits for. (A prefetch
/// was of little use: the processors tried drop it where the page's address is not at hand.)
#[inline(always)]
#[allow(unsafe_code)]
fn fetch<T>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<MaybeUninit<u8>>();
    for line in (0..size_of::<T>()).step_by(64) {
        // SAFETY: the address lies within `value`, a live reference; and a byte may be read as one
        // that may be uninitialized, whatever it is.
        unsafe { std::ptr::read_volatile(start.add(line)) };
    }
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
