//! What is downloaded, on its way into a file.

use std::io::Write;
use std::path::Path;

use super::CliError;

/// Writes a download to a file, or to standard output.
pub(super) async fn save(response: reqwest::Response, output: Option<&Path>) -> Result<(), CliError> {
    match output {
        None => pass_on(response, &mut std::io::stdout().lock(), Path::new("standard output")).await,
        Some(path) => replace(path, async |output, path| pass_on(response, output, path).await).await,
    }
}

/// Writes beside the file and puts that in its place when it is whole: a broken download must not cost the
/// file of last time. What is no plain file, a pipe or a device, is written to as it is.
pub(super) async fn replace(
    path: &Path,
    write: impl AsyncFnOnce(&mut std::fs::File, &Path) -> Result<(), CliError>,
) -> Result<(), CliError> {
    // Through links: the file they lead to is meant.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let broken = |error| CliError::File { path: path.clone(), error };
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let mut output = std::fs::OpenOptions::new().write(true).open(path).map_err(broken)?;
        return write(&mut output, path).await;
    }
    let part = path.with_added_extension("part");
    let written = match std::fs::File::create(&part) {
        Ok(mut output) => write(&mut output, &part).await,
        // The folder is at fault, and not a file that nobody asked for.
        Err(error) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).display();
            let why = format!("nothing can be written into the folder {folder}: {error}. Make it, or name another");
            Err(CliError::Other(why))
        }
    };
    let placed = written.and_then(|()| std::fs::rename(&part, path).map_err(broken));
    if placed.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    placed
}

/// Piece by piece, so that a long table takes no memory.
async fn pass_on(mut response: reqwest::Response, output: &mut impl Write, path: &Path) -> Result<(), CliError> {
    let broken = |error| CliError::File { path: path.to_owned(), error };
    while let Some(piece) = response.chunk().await.map_err(|error| CliError::Other(error.to_string()))? {
        output.write_all(&piece).map_err(broken)?;
    }
    output.flush().map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_link_is_followed_and_only_plain_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("results.json"), folder.path().join("link"));
        std::fs::write(&file, "of last time").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let write = async |output: &mut std::fs::File, _: &Path| {
            output.write_all(b"[]\n").unwrap();
            Ok(())
        };
        replace(&link, write).await.unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "[]\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);

        // What is no plain file is never replaced by one.
        let other = folder.path().join("other");
        std::fs::create_dir(&other).unwrap();
        replace(&other, write).await.unwrap_err();
        assert!(other.is_dir());
    }
}
