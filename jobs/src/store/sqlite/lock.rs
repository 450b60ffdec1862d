//! One process per data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::OpenError;

/// The file whose lock says that the folder is in use. It is never removed: whoever removed it
/// could leave two processes each holding the lock of "the" file.
const NAME: &str = "gymcall.lock";

/// The folder is ours for as long as this lives. The kernel holds the lock for the open file and
/// lets go of it with the process, however that dies: there is nothing to clean up by hand.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, or says at once that somebody has it.
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Folder { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(folder.join(NAME));
        let file = file.map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Busy { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}
