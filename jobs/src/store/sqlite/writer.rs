//! The one thread that writes: takes all operations that wait, runs them in one transaction,
//! commits once, then answers each. Nobody hears `Ok` before the commit has returned.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::broadcast;

use super::checkpoint::Checkpoints;
use super::error::{Trouble, gone};
use super::queue::{Queue, Turn};
use super::task::{Operation, Quiet, Ran, Task};
use crate::store::{Change, StoreError};

/// What waits for this writer.
pub(super) type Waiting = Queue<Box<dyn Operation>, Box<dyn Quiet>>;

/// A chunk of quiet work should hold the database no longer than this, its commit not counted,
/// which takes its time however small the chunk is. A live operation that just missed its turn
/// waits for as long.
const CHUNK: Duration = Duration::from_millis(3);

/// The way to the writer.
#[derive(Clone)]
pub(super) struct Writer {
    queue: Arc<Waiting>,
    transactions: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread. It ends after [`Writer::close`], or with a panic, which closes the queue.
    pub(super) fn start(
        db: Connection,
        feed: broadcast::Sender<Change>,
        checkpoints: Arc<Checkpoints>,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let queue = Arc::new(Waiting::new());
        let transactions = Arc::new(AtomicU64::new(0));
        let mut desk =
            Desk { db, feed, checkpoints, queue: queue.clone(), transactions: transactions.clone(), rows: 64 };
        let thread = std::thread::Builder::new().name("gymcall-writer".into()).spawn(move || desk.work())?;
        Ok((Self { queue, transactions }, thread))
    }

    /// Runs an operation and waits for its commit.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&Connection, &mut Vec<Change>) -> Result<T, Trouble> + Send + 'static,
        T: Send + 'static,
    {
        let (task, answered) = Task::new(work);
        self.queue.push(Box::new(task));
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Has work of many rows done behind the live operations.
    pub(super) fn quiet(&self, work: Box<dyn Quiet>) {
        self.queue.push_quiet(work);
    }

    /// How many transactions were committed or tried.
    pub(super) fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// Serves who is waiting, then ends the thread.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

/// The thread's own things.
struct Desk {
    db: Connection,
    feed: broadcast::Sender<Change>,
    checkpoints: Arc<Checkpoints>,
    queue: Arc<Waiting>,
    transactions: Arc<AtomicU64>,
    /// How many rows of quiet work fit into [`CHUNK`], as far as we have seen.
    rows: usize,
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Without this, a panic would leave every later caller waiting for ever.
        self.queue.abandon();
    }
}

impl Desk {
    fn work(&mut self) {
        let queue = self.queue.clone();
        while let Some(turn) = queue.next() {
            match turn {
                Turn::Live(operations) => self.serve(operations),
                Turn::Quiet(work) => self.serve_quiet(work),
            }
            self.checkpoints.last_stretch(&self.db);
        }
    }

    fn serve(&mut self, mut operations: Vec<Box<dyn Operation>>) {
        let together = self.together(&mut operations);
        if !matches!(together, Ok(true)) {
            // One of them spoilt the transaction, or the commit failed. Alone, each gets what it
            // deserves: a full disk fails those that write, and a bad one harms nobody else.
            for operation in &mut operations {
                if let Err(error) = self.alone(operation.as_mut()) {
                    operation.fail(StoreError::Failed(error.to_string()));
                }
            }
        }
        self.checkpoints.written(operations.len());
        for operation in operations {
            operation.tell(&self.feed);
        }
    }

    /// All in one transaction. False: nothing was committed, because one of them must not be.
    fn together(&mut self, operations: &mut [Box<dyn Operation>]) -> rusqlite::Result<bool> {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for operation in operations {
            if operation.run(&transaction)? == Ran::Spoilt {
                return Ok(false);
            }
        }
        transaction.commit()?;
        Ok(true)
    }

    fn alone(&mut self, operation: &mut dyn Operation) -> rusqlite::Result<()> {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match operation.run(&transaction)? {
            Ran::Fine => transaction.commit(),
            Ran::Refused | Ran::Spoilt => transaction.rollback(),
        }
    }

    fn serve_quiet(&mut self, mut work: Box<dyn Quiet>) {
        self.checkpoints.written(self.rows);
        match self.chunk(work.as_mut()) {
            Ok(false) => self.queue.push_quiet(work),
            Ok(true) => work.finish(Ok(())),
            Err(trouble) => work.finish(Err(trouble.into())),
        }
    }

    fn chunk(&mut self, work: &mut dyn Quiet) -> Result<bool, Trouble> {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let began = Instant::now();
        let last = work.chunk(&transaction, self.rows)?;
        let took = began.elapsed();
        transaction.commit()?;
        work.committed();
        if took > CHUNK {
            self.rows = (self.rows / 2).max(16);
        } else if took < CHUNK / 2 {
            self.rows = (self.rows + self.rows / 4).min(1024);
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn desk() -> (tempfile::TempDir, Writer) {
        let folder = tempfile::tempdir().unwrap();
        let db = super::super::schema::open_writer(folder.path()).unwrap();
        let (checkpoints, _) = Checkpoints::start(folder.path()).unwrap();
        let (feed, _) = broadcast::channel(16);
        let (writer, _) = Writer::start(db, feed, checkpoints).unwrap();
        (folder, writer)
    }

    fn put(db: &Connection, key: &str) -> Result<(), Trouble> {
        db.execute("INSERT INTO replies (key, at, record) VALUES (?, 0, zeroblob(20000))", [key])?;
        Ok(())
    }

    async fn kept(writer: &Writer) -> i64 {
        writer.run(|db, _| Ok(db.query_row("SELECT COUNT(*) FROM replies", [], |row| row.get(0))?)).await.unwrap()
    }

    #[tokio::test]
    async fn an_operation_that_breaks_the_transaction_does_not_spoil_its_neighbours() {
        let (_folder, writer) = desk();
        let operations = (0..30).map(|number| {
            writer.run(move |db, _| {
                put(db, &format!("key {number}"))?;
                match number % 10 {
                    // A key that is there: the database says no, after something was written.
                    3 => put(db, &format!("key {number}")),
                    // Refused too late: what it wrote may not stay.
                    7 => Err(StoreError::Conflict.into()),
                    _ => Ok(()),
                }
            })
        });
        for (number, result) in join_all(operations).await.into_iter().enumerate() {
            match number % 10 {
                3 => assert!(matches!(result, Err(StoreError::Failed(_))), "{number}: {result:?}"),
                7 => assert!(matches!(result, Err(StoreError::Conflict)), "{number}: {result:?}"),
                _ => result.unwrap(),
            }
        }
        assert_eq!(kept(&writer).await, 24);
    }

    #[tokio::test]
    async fn a_full_disk_fails_the_write_and_nothing_else() {
        let (_folder, writer) = desk();
        let limit = |pages: u32| writer.run(move |db, _| Ok(db.pragma_update(None, "max_page_count", pages)?));
        let pages = writer.run(|db, _| Ok(db.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0))?));
        let pages = pages.await.unwrap();
        limit(pages + 2).await.unwrap();
        let full = writer.run(|db, _| put(db, "too much")).await;
        assert!(matches!(full, Err(StoreError::Failed(_))), "{full:?}");
        assert_eq!(kept(&writer).await, 0);
        limit(1_000_000).await.unwrap();
        writer.run(|db, _| put(db, "there is room again")).await.unwrap();
        assert_eq!(kept(&writer).await, 1);
    }

    #[tokio::test]
    async fn a_closed_store_answers_that_it_is_closed() {
        let (_folder, writer) = desk();
        writer.close();
        let late = writer.run(|db, _| put(db, "late")).await;
        assert!(matches!(late, Err(StoreError::Failed(_))), "{late:?}");
    }
}
