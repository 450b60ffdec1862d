//! Readers: connections of their own, each seeing what was committed when its question came.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::{Trouble, gone};
use super::{OpenError, schema};
use crate::store::StoreError;

/// Reading is short, and the machine has other work: two are enough to never wait for one long list.
const READERS: usize = 2;

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the readers.
pub(super) struct Readers {
    questions: Sender<Question>,
}

impl Readers {
    /// Starts the threads. They end when this is dropped.
    pub(super) fn start(folder: &Path) -> Result<(Self, Vec<JoinHandle<()>>), OpenError> {
        let (questions, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut threads = Vec::new();
        for _ in 0..READERS {
            let db = schema::open_further(folder)?;
            let waiting = waiting.clone();
            let thread = std::thread::Builder::new().name("gymcall-reader".into()).spawn(move || serve(&db, &waiting));
            threads.push(thread.map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?);
        }
        Ok((Self { questions }, threads))
    }

    /// Asks within one snapshot: several statements of one question see the same moment.
    pub(super) async fn ask<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let question = move |db: &Connection| {
            let result = snapshot(db, question).map_err(StoreError::from);
            let _ = answer.send(result);
        };
        self.questions.send(Box::new(question)).map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn snapshot<T>(db: &Connection, question: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Trouble> {
    let snapshot = db.unchecked_transaction()?;
    let answer = question(&snapshot)?;
    snapshot.commit()?;
    Ok(answer)
}

fn serve(db: &Connection, waiting: &Mutex<Receiver<Question>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(question) => question(db),
            Err(_) => return,
        }
    }
}
