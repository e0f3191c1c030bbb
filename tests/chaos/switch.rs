//! A wire that can be laid anew: to another server, or so that nothing comes through it any more while both ends believe
//! that it holds.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering},
    },
    thread,
    time::Duration,
};

/// How often a held wire looks whether it is let go.
const LOOK: Duration = Duration::from_millis(5);

pub(crate) struct Switch {
    /// Where it is reached.
    pub(crate) port: u16,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Where it leads.
    to: AtomicU16,
    is_held: AtomicBool,
    is_over: AtomicBool,
    /// By how many seconds a clock in an answer of Redis is put forward.
    bent: AtomicI64,
    open: Mutex<Vec<TcpStream>>,
}

impl Switch {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let here = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner { to: AtomicU16::new(port), ..Inner::default() });
        let lead = Arc::clone(&inner);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if lead.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", lead.to.load(Ordering::SeqCst))) else { continue };
                lead.join(near, far);
            }
        });
        Self { port: here, inner }
    }

    /// Leads to another server; what is under way is cut.
    pub(crate) fn lead_to(&self, port: u16) {
        self.turn_to(port);
        self.cut();
    }

    /// Leads whoever connects from now on to another server; what is open stays where it is.
    pub(crate) fn turn_to(&self, port: u16) {
        self.inner.to.store(port, Ordering::SeqCst);
    }

    /// Has the server's clock be so many seconds ahead.
    pub(crate) fn bend_clock(&self, seconds: i64) {
        self.inner.bent.store(seconds, Ordering::SeqCst);
    }

    /// Whether nothing comes through.
    pub(crate) fn hold(&self, is_held: bool) {
        self.inner.is_held.store(is_held, Ordering::SeqCst);
    }

    pub(crate) fn cut(&self) {
        for stream in self.inner.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.inner.is_over.store(true, Ordering::SeqCst);
        self.hold(false);
        self.cut();
        // So that it stops listening.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Inner {
    fn join(self: &Arc<Self>, near: TcpStream, far: TcpStream) {
        for stream in [&near, &far] {
            let _ = stream.set_nodelay(true);
            self.open.lock().unwrap().push(stream.try_clone().unwrap());
        }
        for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
            let inner = Arc::clone(self);
            thread::spawn(move || inner.pass_on(from, to));
        }
    }

    /// A clock in microseconds is a text of 16 digits.
    fn bend(&self, said: &mut [u8]) {
        const CLOCK: &[u8] = b"\r\n$16\r\n1";
        let bent = self.bent.load(Ordering::SeqCst);
        if bent != 0
            && let Some(at) = said.windows(CLOCK.len()).position(|window| window == CLOCK)
            && let Some(digits) = said.get_mut(at + CLOCK.len() - 1..).and_then(|rest| rest.get_mut(..16))
        {
            let time: i64 = std::str::from_utf8(digits).unwrap().parse().unwrap();
            digits.copy_from_slice((time + bent * 1_000_000).to_string().as_bytes());
        }
    }

    fn pass_on(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 65_536];
        loop {
            let read = from.read(&mut bytes);
            while self.is_held.load(Ordering::SeqCst) {
                thread::sleep(LOOK);
            }
            if let Ok(count) = read {
                self.bend(&mut bytes[..count]);
            }
            match read {
                Ok(count @ 1..) if to.write_all(&bytes[..count]).is_ok() => {}
                _ => break,
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
