//! One process per data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::OpenError;

/// The file whose lock says that the folder is in use. It is never removed: whoever removed it
/// could leave two processes each holding the lock of "the" file.
const NAME: &str = "gymcall.lock";

/// How long the end of another process is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// The folder is ours for as long as this lives. The kernel holds the lock for the open file and
/// lets go of it with the process, however that dies: there is nothing to clean up by hand.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, or says that somebody has it.
    ///
    /// A process that was just killed may hold it for some moments more, and so may a child that it
    /// had just started: a restart waits for them, and for nobody else.
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Folder { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(folder.join(NAME));
        let file = file.map_err(unusable)?;
        let give_up = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < give_up => std::thread::sleep(PATIENCE / 20),
                Err(TryLockError::WouldBlock) => return Err(OpenError::Busy { folder: folder.to_owned() }),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
            }
        }
    }
}
