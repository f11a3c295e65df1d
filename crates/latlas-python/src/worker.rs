//! Long work on a thread of its own, while the interpreter's thread waits without the lock and listens for Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use latlas_cli::Failure;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::failure::failure;

/// How often signals are looked at.
const PATIENCE: Duration = Duration::from_millis(50);

enum Event<T> {
    At(usize, usize),
    Done(Result<T, Failure>),
}

/// Work that was given up.
struct GivenUp;

/// Does the work in a pool of so many threads. `progress(done, all)` is called with the lock held; an exception in it, or
/// Ctrl-C, is raised at once, and the work ends with its next step.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&dyn Fn(usize, usize)) -> Result<T, Failure> + Send + 'static,
) -> PyResult<T> {
    let (send, mut receive) = mpsc::channel();
    let given_up = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&given_up);
    std::thread::spawn(move || {
        let told = send.clone();
        let outcome = in_pool(threads, move || {
            work(&|done, all| {
                // The loops of the library cannot be told to stop, so the way out is to unwind, silently.
                if is_over.load(Ordering::Relaxed) {
                    std::panic::resume_unwind(Box::new(GivenUp));
                }
                let _ = told.send(Event::At(done, all));
            })
        });
        let _ = send.send(Event::Done(outcome));
    });
    let give_up = |error| {
        given_up.store(true, Ordering::Relaxed);
        Err(error)
    };
    loop {
        let (back, event) = py.detach(move || {
            let event = receive.recv_timeout(PATIENCE);
            (receive, event)
        });
        receive = back;
        if let Err(error) = py.check_signals() {
            return give_up(error);
        }
        match event {
            Ok(Event::At(done, all)) => {
                if let Some(Err(error)) = progress.map(|progress| progress.call1(py, (done, all))) {
                    return give_up(error);
                }
            }
            Ok(Event::Done(outcome)) => return outcome.map_err(|error| failure(&error)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err("the computation ended in a panic; please report it"));
            }
        }
    }
}

/// Does something in a pool of so many threads; in the one of all cores where no number is given.
pub fn in_pool<T: Send>(threads: Option<usize>, work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    let Some(threads) = threads else { return work() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Failure::usage(format!("{threads} threads: {error}"), "leave threads out to use all cores"))?;
    pool.install(work)
}
