//! On simu-des: every request is a process of its own which asks a resource for a unit, as in the
//! crate's tutorial; with agents, each agent is the process.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use peers::{Draws, Job, SERVICE_SECONDS, Tally};
use simu::{EnvHandle, Resource, SimEnv};

struct World {
    job: Job,
    env: EnvHandle,
    workers: Resource,
    draws: RefCell<Draws>,
    tally: RefCell<Tally>,
}

impl World {
    fn draw(&self, mean: f64) -> f64 {
        self.draws.borrow_mut().exponential(mean)
    }

    fn closed(&self) -> bool {
        self.tally.borrow().created == self.job.requests
    }

    async fn request(&self) {
        let created = self.env.now();
        self.tally.borrow_mut().created += 1;
        if self.workers.queue_len() >= self.job.workload.places {
            self.tally.borrow_mut().refused += 1;
            return;
        }
        let worker = self.workers.request().await;
        self.env.timeout(self.draw(SERVICE_SECONDS)).await;
        drop(worker);
        self.tally.borrow_mut().complete(self.env.now() - created);
    }
}

fn main() {
    let job = Job::from_arguments();
    let mut env = SimEnv::with_seed(job.seed);
    let world = Rc::new(World {
        job,
        env: env.handle(),
        workers: Resource::new(job.workload.workers),
        draws: RefCell::new(Draws::new(job.seed)),
        tally: RefCell::default(),
    });
    if job.workload.agents == 0 {
        let world = world.clone();
        env.spawn(async move {
            for _ in 0..world.job.requests {
                let gap = world.draw(world.job.workload.gap_seconds);
                world.env.timeout(gap).await;
                let request = world.clone();
                world.env.spawn(async move { request.request().await });
            }
        });
    }
    for _ in 0..job.workload.agents {
        let world = world.clone();
        env.spawn(async move {
            loop {
                let thought = world.draw(world.job.workload.gap_seconds);
                world.env.timeout(thought).await;
                if world.closed() {
                    break;
                }
                world.request().await;
            }
        });
    }
    let started = Instant::now();
    let mut until = 0.0;
    while !world.tally.borrow().settled(job.requests) {
        until += 0.1;
        env.run_until(until);
    }
    let took = started.elapsed();
    job.report("simu-des", &world.tally.borrow(), took);
}
