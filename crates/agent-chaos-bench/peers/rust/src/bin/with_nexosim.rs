//! On nexosim, one thread: the source, the station with its workers and each agent are models,
//! which send events to each other through ports and schedule their own.

use std::collections::VecDeque;
use std::error::Error;
use std::time::{Duration, Instant};

use nexosim::Message;
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{Output, QuerySource};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use peers::{Draws, Job, SERVICE_SECONDS, Tally};
use serde::{Deserialize, Serialize};

/// A draw as a span of time; an event cannot be scheduled for the present.
fn span(draws: &mut Draws, mean_seconds: f64) -> Duration {
    let nanos = draws.exponential(mean_seconds) * 1e9;
    Duration::from_nanos((nanos as u64).max(1))
}

#[derive(Clone, Copy, Message, Serialize, Deserialize)]
struct Request {
    created: MonotonicTime,
    agent: Option<usize>,
}

/// The bounded queue and the workers.
#[derive(Serialize, Deserialize)]
struct Station {
    requests: u64,
    idle: usize,
    places: usize,
    queue: VecDeque<Request>,
    /// To each agent: that its request has left, served or refused.
    left: Vec<Output<()>>,
    #[serde(skip)]
    draws: Draws,
    #[serde(skip)]
    tally: Tally,
}

#[Model]
impl Station {
    async fn offer(&mut self, request: Request, cx: &Context<Self>) {
        if self.tally.created == self.requests {
            return;
        }
        self.tally.created += 1;
        if self.idle > 0 {
            self.idle -= 1;
            self.serve(request, cx);
        } else if self.queue.len() < self.places {
            self.queue.push_back(request);
        } else {
            self.tally.refused += 1;
            self.answer(request).await;
        }
    }

    fn serve(&mut self, request: Request, cx: &Context<Self>) {
        let service = span(&mut self.draws, SERVICE_SECONDS);
        cx.schedule_event(service, schedulable!(Self::complete), request)
            .expect("a time to come");
    }

    #[nexosim(schedulable)]
    async fn complete(&mut self, request: Request, cx: &Context<Self>) {
        let sojourn = cx.time().duration_since(request.created);
        self.tally.complete(sojourn.as_secs_f64());
        match self.queue.pop_front() {
            Some(next) => self.serve(next, cx),
            None => self.idle += 1,
        }
        self.answer(request).await;
    }

    async fn answer(&mut self, request: Request) {
        if let Some(agent) = request.agent {
            self.left[agent].send(()).await;
        }
    }

    async fn tally(&mut self) -> (u64, u64, u64, f64) {
        let tally = self.tally;
        (
            tally.created,
            tally.refused,
            tally.completed,
            tally.sojourn_seconds,
        )
    }
}

/// A Poisson process of arrivals, or an agent which thinks again once its request has left.
#[derive(Serialize, Deserialize)]
struct Sender {
    agent: Option<usize>,
    gap_seconds: f64,
    offers: Output<Request>,
    #[serde(skip)]
    draws: Draws,
}

#[Model]
impl Sender {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        self.wait(cx);
    }

    fn wait(&mut self, cx: &Context<Self>) {
        let gap = span(&mut self.draws, self.gap_seconds);
        cx.schedule_event(gap, schedulable!(Self::send), ())
            .expect("a time to come");
    }

    #[nexosim(schedulable)]
    async fn send(&mut self, _: (), cx: &Context<Self>) {
        let (created, agent) = (cx.time(), self.agent);
        self.offers.send(Request { created, agent }).await;
        if agent.is_none() {
            self.wait(cx);
        }
    }

    fn left(&mut self, _: (), cx: &Context<Self>) {
        self.wait(cx);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let job = Job::from_arguments();
    let workload = job.workload;
    let mut bench = SimInit::with_num_threads(1);
    let station_mailbox = Mailbox::new();
    let tally = QuerySource::new()
        .connect(Station::tally, &station_mailbox)
        .register(&mut bench);
    let mut left = Vec::with_capacity(workload.agents);
    let senders = (0..workload.agents.max(1)).map(|index| {
        let agent = (workload.agents > 0).then_some(index);
        let mut offers = Output::default();
        offers.connect(Station::offer, &station_mailbox);
        let sender = Sender {
            agent,
            gap_seconds: workload.gap_seconds,
            offers,
            draws: Draws::new(job.seed.wrapping_mul(1 << 32) + 1 + index as u64),
        };
        // Its own timer and one answer: what a sender can find at most. The default is slower.
        let mailbox = Mailbox::with_capacity(2);
        let mut port = Output::default();
        if agent.is_some() {
            port.connect(Sender::left, &mailbox);
        }
        left.push(port);
        (sender, mailbox)
    });
    for (sender, mailbox) in senders {
        bench = bench.add_model(sender, mailbox, "sender");
    }
    let station = Station {
        requests: job.requests,
        idle: workload.workers,
        places: workload.places,
        queue: VecDeque::new(),
        left,
        draws: Draws::new(job.seed),
        tally: Tally::default(),
    };
    let mut simulation = bench
        .add_model(station, station_mailbox, "station")
        .init(MonotonicTime::EPOCH)?;

    let started = Instant::now();
    let (tally, took) = loop {
        simulation.step_until(Duration::from_millis(100))?;
        let (created, refused, completed, sojourn_seconds) =
            simulation.process_query(&tally, ())?;
        let tally = Tally {
            created,
            refused,
            completed,
            sojourn_seconds,
        };
        if tally.settled(job.requests) {
            break (tally, started.elapsed());
        }
    };
    job.report("nexosim", &tally, took);
    Ok(())
}
