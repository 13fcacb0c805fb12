//! An append-only file of JSON lines whose every line is on the disk before anybody is told that it is.
//!
//! A line that a crash cut in two is left as it is: the next line begins on a line of its own, and readers skip what
//! is no JSON. The folder is synced when the file is made, so that the file itself survives as well.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// See the module's head.
#[derive(Debug)]
pub(super) struct LinesFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl LinesFile {
    /// Opens or makes the file, readable by its owner only.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(path)?;
        if is_new {
            file.sync_all()?;
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        let bytes = file.metadata()?.len();
        if bytes > 0 && !ends_a_line(&mut file)? {
            file.write_all(b"\n")?;
        }
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    /// Appends one line and waits for the disk. After an error the file may end in half a line; the next append
    /// begins a new one.
    pub(super) fn append(&mut self, json: &[u8]) -> io::Result<()> {
        let mut line = Vec::with_capacity(json.len().saturating_add(1));
        line.extend_from_slice(json);
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            // Whatever was written of it, the next line stands apart from it.
            self.bytes = self.file.metadata().map_or(self.bytes, |metadata| metadata.len());
            if self.bytes > 0 && !ends_a_line(&mut self.file).unwrap_or(false) {
                let apart = self.file.write_all(b"\n");
                tracing::debug!(ok = apart.is_ok(), "a broken line was ended");
            }
            return Err(error);
        }
        self.bytes = self.bytes.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// How long the file is.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Everything in it, at most `max` bytes.
    pub(super) fn read(&mut self, max: u64) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&mut self.file).take(max).read_to_end(&mut all)?;
        Ok(all)
    }

    /// Makes it empty.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.sync_all()?;
        self.bytes = 0;
        Ok(())
    }

    /// Puts it aside as `NAME.1`, over what was put aside before, and begins a new one.
    pub(super) fn turn(&mut self) -> io::Result<()> {
        let mut aside = self.path.clone().into_os_string();
        aside.push(".1");
        fs::rename(&self.path, aside)?;
        *self = Self::open(&self.path)?;
        Ok(())
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0_u8; 1];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_after_half_a_line_stands_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/lines");
        let mut file = LinesFile::open(&path).unwrap();
        file.append(b"{\"a\":1}").unwrap();
        drop(file);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"a\":").unwrap();
        let mut file = LinesFile::open(&path).unwrap();
        file.append(b"{\"a\":3}").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"a\":\n{\"a\":3}\n");
        assert_eq!(file.bytes(), fs::metadata(&path).unwrap().len());
    }

    #[test]
    fn turning_keeps_one_older_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        let mut file = LinesFile::open(&path).unwrap();
        for n in 0..3 {
            file.append(format!("{n}").as_bytes()).unwrap();
            file.turn().unwrap();
        }
        assert_eq!(fs::read_to_string(dir.path().join("lines.1")).unwrap(), "2\n");
        assert_eq!(file.bytes(), 0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
