//! On odem-rs: workers, agents and the source are its agents; a queue wakes whoever sleeps, as in
//! the M/M/1 model among its examples. Times are `f64`, tracing is compiled out.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use odem_rs::core::agent::Behavior;
use odem_rs::core::config::Config;
use odem_rs::core::ops::{sleep, waker};
use odem_rs::core::simulator::{Sim, Simulator};
use peers::{Draws, Job, SERVICE_SECONDS, Tally, Workload};

#[derive(Config)]
struct Station {
    workload: Workload,
    requests: u64,
    draws: RefCell<Draws>,
    tally: RefCell<Tally>,
    queue: RefCell<VecDeque<Request>>,
    idle: RefCell<Vec<Waker>>,
    watcher: Cell<Option<Waker>>,
}

struct Request {
    created: f64,
    sender: Option<Waker>,
}

impl Station {
    fn draw(&self, mean: f64) -> f64 {
        self.draws.borrow_mut().exponential(mean)
    }

    fn closed(&self) -> bool {
        self.tally.borrow().created == self.requests
    }

    /// Takes the request or refuses it.
    fn offer(&self, request: Request) -> bool {
        let mut tally = self.tally.borrow_mut();
        tally.created += 1;
        let mut queue = self.queue.borrow_mut();
        let idle = self.idle.borrow_mut().pop();
        if idle.is_none() && queue.len() >= self.workload.places {
            tally.refused += 1;
            self.look(&tally);
            return false;
        }
        queue.push_back(request);
        if let Some(worker) = idle {
            worker.wake();
        }
        true
    }

    fn complete(&self, sojourn: f64) {
        let mut tally = self.tally.borrow_mut();
        tally.complete(sojourn);
        self.look(&tally);
    }

    fn look(&self, tally: &Tally) {
        if tally.settled(self.requests)
            && let Some(watcher) = self.watcher.take()
        {
            watcher.wake();
        }
    }
}

struct Worker;

impl Behavior<Station> for Worker {
    type Output = ();

    async fn actions(&self, sim: &Sim<Station>) {
        let station = sim.global();
        loop {
            let next = station.queue.borrow_mut().pop_front();
            if let Some(request) = next {
                sim.advance(station.draw(SERVICE_SECONDS)).await;
                station.complete(sim.now() - request.created);
                if let Some(sender) = request.sender {
                    sender.wake();
                }
            } else {
                let me = waker().await;
                station.idle.borrow_mut().push(me);
                sleep().await;
            }
        }
    }
}

struct Source;

impl Behavior<Station> for Source {
    type Output = ();

    async fn actions(&self, sim: &Sim<Station>) {
        let station = sim.global();
        while !station.closed() {
            sim.advance(station.draw(station.workload.gap_seconds))
                .await;
            station.offer(Request {
                created: sim.now(),
                sender: None,
            });
        }
    }
}

struct Thinker;

impl Behavior<Station> for Thinker {
    type Output = ();

    async fn actions(&self, sim: &Sim<Station>) {
        let station = sim.global();
        let me = waker().await;
        loop {
            sim.advance(station.draw(station.workload.gap_seconds))
                .await;
            if station.closed() {
                break;
            }
            let request = Request {
                created: sim.now(),
                sender: Some(me.clone()),
            };
            if station.offer(request) {
                sleep().await;
            }
        }
    }
}

fn main() {
    let job = Job::from_arguments();
    let simulator = Simulator::new(Station {
        workload: job.workload,
        requests: job.requests,
        draws: RefCell::new(Draws::new(job.seed)),
        tally: RefCell::default(),
        queue: RefCell::default(),
        idle: RefCell::default(),
        watcher: Cell::default(),
    });
    let took = simulator
        .run(async |sim| {
            for _ in 0..job.workload.workers {
                sim.spawn(Worker);
            }
            if job.workload.agents == 0 {
                sim.spawn(Source);
            }
            for _ in 0..job.workload.agents {
                sim.spawn(Thinker);
            }
            sim.global().watcher.set(Some(waker().await));
            let started = Instant::now();
            sleep().await;
            let took = started.elapsed();
            // No waker may outlive the run.
            sim.global().queue.borrow_mut().clear();
            sim.global().idle.borrow_mut().clear();
            took
        })
        .expect("no deadlock");
    let tally = simulator.inner().tally.borrow();
    job.report("odem-rs", &tally, took);
}
