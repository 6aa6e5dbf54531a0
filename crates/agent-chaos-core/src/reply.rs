//! The way back: how the server's answer to a request reaches whoever sent it.
//!
//! ```text
//! worker, queue ──► Replies ─┬─► the agent that waits        (without client policies)
//!                            └─► the clients' mail ──► clerk  (with them)
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::request::{Answers, FailureMode, Register, Ticket};
use crate::runtime::{Bell, Runtime};
use crate::units::Span;

/// An answer on its way.
#[derive(Clone, Copy, Debug)]
pub struct Letter {
    /// The answer to what.
    pub ticket: Ticket,
    /// Good or not.
    pub outcome: FailureMode,
    /// The service time behind it.
    pub served: Span,
}

/// Answers for the clients' clerk, in the order in which the server gave them.
pub struct Mail<R: Runtime> {
    letters: RefCell<VecDeque<Letter>>,
    /// Rings when there is something to do.
    pub bell: Bell<R>,
}

impl<R: Runtime> Default for Mail<R> {
    fn default() -> Self {
        Self {
            letters: RefCell::default(),
            bell: Bell::default(),
        }
    }
}

impl<R: Runtime> Mail<R> {
    /// Leaves a letter for the clerk.
    #[cold]
    fn post(&self, runtime: &R, letter: Letter) {
        self.letters.borrow_mut().push_back(letter);
        self.bell.ring(runtime);
    }

    /// Takes the next letter.
    pub fn take(&self) -> Option<Letter> {
        self.letters.borrow_mut().pop_front()
    }
}

/// Where answers go.
pub struct Replies<R: Runtime> {
    register: Rc<Register>,
    answers: Rc<Answers<R>>,
    mail: Option<Rc<Mail<R>>>,
}

impl<R: Runtime> Replies<R> {
    /// Answers to agents themselves, or by way of their clients' mail.
    #[must_use]
    pub fn new(register: Rc<Register>, answers: Rc<Answers<R>>, mail: Option<Rc<Mail<R>>>) -> Self {
        Self {
            register,
            answers,
            mail,
        }
    }

    /// Sends the answer to a request that the server is done with; `awaited` tells whether an agent
    /// waits for it.
    #[inline(always)]
    pub fn reply(
        &self,
        runtime: &R,
        ticket: Ticket,
        awaited: bool,
        outcome: FailureMode,
        served: Span,
    ) {
        if let Some(mail) = &self.mail {
            mail.post(
                runtime,
                Letter {
                    ticket,
                    outcome,
                    served,
                },
            );
        } else if awaited {
            self.answers.deliver(runtime, ticket, outcome);
        } else {
            self.register.leave(ticket);
        }
    }
}
