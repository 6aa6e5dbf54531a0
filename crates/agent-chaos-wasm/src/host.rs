//! The host's event loop: its clock, and the ways to let it do something else.

use futures::StreamExt;
use futures::channel::mpsc;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, Performance};

/// The event loop of a page, of a worker or of node.
///
/// Giving way is a message to oneself: a task of its own that waits its turn behind whatever the
/// page has to do, without the 4 ms of a nested timer. `scheduler.yield()` would come back before
/// timers and other tasks of the page, and starve them for as long as a run lasts.
pub struct Host {
    global: JsValue,
    performance: Performance,
    channel: MessageChannel,
    messages: mpsc::UnboundedReceiver<()>,
    _listener: Closure<dyn FnMut()>,
}

impl Host {
    /// The host that this code runs in.
    pub fn new() -> Result<Self, JsValue> {
        let global: JsValue = js_sys::global().into();
        let performance = Reflect::get(&global, &"performance".into())?.unchecked_into();
        let channel = MessageChannel::new()?;
        let (sender, messages) = mpsc::unbounded();
        // A message after the receiver is gone is of no use to anybody.
        let listener = Closure::new(move || drop(sender.unbounded_send(())));
        channel
            .port1()
            .set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Ok(Self {
            global,
            performance,
            channel,
            messages,
            _listener: listener,
        })
    }

    /// Milliseconds on the host's monotonic clock.
    pub fn now_ms(&self) -> f64 {
        self.performance.now()
    }

    /// Lets the host handle input and draw, then comes back as soon as it may.
    pub async fn give_way(&mut self) -> Result<(), JsValue> {
        self.channel.port2().post_message(&JsValue::NULL)?;
        self.messages.next().await;
        Ok(())
    }

    /// Waits for the next picture to be drawn; where nothing is drawn, for about as long.
    ///
    /// In a hidden tab no picture is drawn, so that whoever waits here stands still with it.
    pub async fn next_picture(&self) -> Result<(), JsValue> {
        let frame =
            Reflect::get(&self.global, &"requestAnimationFrame".into())?.dyn_into::<Function>();
        let timer = Reflect::get(&self.global, &"setTimeout".into())?.dyn_into::<Function>();
        let mut failed = None;
        let promise = Promise::new(&mut |resolve: Function, _reject: Function| {
            let asked = match (&frame, &timer) {
                (Ok(frame), _) => frame.call1(&self.global, &resolve),
                (_, Ok(timer)) => timer.call2(&self.global, &resolve, &PICTURE_MS.into()),
                (_, Err(neither)) => Err(neither.clone()),
            };
            failed = asked.err();
        });
        match failed {
            Some(error) => Err(error),
            None => JsFuture::from(promise).await.map(drop),
        }
    }
}

/// About one picture at 60 per second.
const PICTURE_MS: f64 = 16.0;

impl Drop for Host {
    fn drop(&mut self) {
        // An open port keeps node alive.
        self.channel.port1().set_onmessage(None);
        self.channel.port1().close();
        self.channel.port2().close();
    }
}
