//! On tokio with paused time, one thread: workers, agents and the source are tasks, the queue is
//! its bounded channel, an answer its oneshot channel.
//!
//! Its timers have a resolution of one millisecond, so one simulated second is a thousand of its
//! seconds here; its time then moves in steps of a thousandth of the mean service time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use peers::{Draws, Job, SERVICE_SECONDS, Tally};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep};

const SCALE: f64 = 1_000.0;

struct World {
    job: Job,
    draws: RefCell<Draws>,
    tally: RefCell<Tally>,
    settled: Notify,
}

struct Request {
    created: Instant,
    sender: Option<oneshot::Sender<()>>,
}

type Taker = Rc<Mutex<mpsc::Receiver<Request>>>;

impl World {
    async fn pause(&self, mean_seconds: f64) {
        let seconds = self.draws.borrow_mut().exponential(mean_seconds);
        sleep(Duration::from_secs_f64(seconds * SCALE)).await;
    }

    fn closed(&self) -> bool {
        self.tally.borrow().created == self.job.requests
    }

    fn offer(&self, queue: &mpsc::Sender<Request>, sender: Option<oneshot::Sender<()>>) -> bool {
        let mut tally = self.tally.borrow_mut();
        tally.created += 1;
        let created = Instant::now();
        if queue.try_send(Request { created, sender }).is_ok() {
            return true;
        }
        tally.refused += 1;
        self.look(&tally);
        false
    }

    fn complete(&self, created: Instant) {
        let mut tally = self.tally.borrow_mut();
        tally.complete(created.elapsed().as_secs_f64() / SCALE);
        self.look(&tally);
    }

    fn look(&self, tally: &Tally) {
        if tally.settled(self.job.requests) {
            self.settled.notify_one();
        }
    }
}

async fn work(world: Rc<World>, queue: Taker) {
    loop {
        let next = queue.lock().await.recv().await;
        let Some(request) = next else { break };
        world.pause(SERVICE_SECONDS).await;
        world.complete(request.created);
        if let Some(sender) = request.sender {
            let _ = sender.send(());
        }
    }
}

async fn arrive(world: Rc<World>, queue: mpsc::Sender<Request>) {
    while !world.closed() {
        world.pause(world.job.workload.gap_seconds).await;
        world.offer(&queue, None);
    }
}

async fn think(world: Rc<World>, queue: mpsc::Sender<Request>) {
    loop {
        world.pause(world.job.workload.gap_seconds).await;
        if world.closed() {
            break;
        }
        let (sender, answer) = oneshot::channel();
        if world.offer(&queue, Some(sender)) {
            let _ = answer.await;
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let job = Job::from_arguments();
    let workload = job.workload;
    let world = Rc::new(World {
        job,
        draws: RefCell::new(Draws::new(job.seed)),
        tally: RefCell::default(),
        settled: Notify::new(),
    });
    // The channel refuses a capacity beyond its semaphore's: nothing is ever lost to this one.
    let places = workload.places.min(1 << 20);
    let (offers, taker) = mpsc::channel(places);
    let taker = Rc::new(Mutex::new(taker));
    let tasks = LocalSet::new();
    let took = tasks
        .run_until(async {
            for _ in 0..workload.workers {
                spawn_local(work(world.clone(), taker.clone()));
            }
            if workload.agents == 0 {
                spawn_local(arrive(world.clone(), offers.clone()));
            }
            for _ in 0..workload.agents {
                spawn_local(think(world.clone(), offers.clone()));
            }
            let started = std::time::Instant::now();
            world.settled.notified().await;
            started.elapsed()
        })
        .await;
    job.report("tokio", &world.tally.borrow(), took);
}
