//! The types of loom, and threads that park on its `Notify`.
//!
//! Loom's own `park` would hide mistakes: its `unpark` makes all writes visible to a thread even if that is not
//! parked, allows no other thread between a store and the `unpark` after it, and `join` wakes a parked thread too.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::hint::spin_loop;
pub(crate) use loom::sync::{Arc, atomic};

/// In a pool of two the worker spins, in a larger one the workers park at once.
pub(crate) fn processors() -> usize {
    2
}

pub(crate) mod thread {
    use loom::sync::{Arc, Notify};
    use std::cell::RefCell;
    use std::{io, thread};

    #[derive(Clone)]
    pub(crate) struct Thread(Arc<Notify>);

    loom::thread_local! {
        static CURRENT: RefCell<Thread> = RefCell::new(Thread::new());
    }

    pub(crate) fn current() -> Thread {
        CURRENT.with(|thread| thread.borrow().clone())
    }

    pub(crate) fn park() {
        current().0.wait();
    }

    impl Thread {
        fn new() -> Self {
            Self(Arc::new(Notify::new()))
        }

        pub(crate) fn unpark(&self) {
            self.0.notify();
        }
    }

    pub(crate) struct Builder;

    impl Builder {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn name(self, _name: String) -> Self {
            self
        }

        pub(crate) fn spawn(self, work: impl FnOnce() + 'static) -> io::Result<JoinHandle<()>> {
            let thread = Thread::new();
            let own = thread.clone();
            let handle = loom::thread::spawn(move || {
                CURRENT.with(|thread| thread.replace(own));
                work();
            });
            Ok(JoinHandle { handle, thread })
        }
    }

    pub(crate) struct JoinHandle<T> {
        handle: loom::thread::JoinHandle<T>,
        thread: Thread,
    }

    impl<T> JoinHandle<T> {
        pub(crate) fn thread(&self) -> &Thread {
            &self.thread
        }

        pub(crate) fn join(self) -> thread::Result<T> {
            self.handle.join()
        }
    }
}
