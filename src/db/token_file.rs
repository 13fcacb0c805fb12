//! `tokens.json` in the data directory: who may command this process.
//!
//! A file and not a table, because a kill must be authorised while the database is locked or gone (ADR 0006). It is
//! replaced as a whole (written beside, forced to the disk, renamed, the folder forced to the disk), readable by its
//! owner alone, and refused when it is not. It holds digests, never secrets. A missing file means that no token was
//! ever made here; an unreadable one means that nobody gets in.

use super::data_dir::sync_folder;
use super::token_book::{TokenBook, digest};
use crate::domain::time::WallMs;
use crate::domain::token::{Presented, SECRET_BYTES, Scope, TOKENS_MAX, TokenId, TokenName, TokenRecord};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Name of the file.
pub const TOKENS: &str = "tokens.json";
const LOCK: &str = "tokens.lock";
const FRESH: &str = "tokens.json.new";
const VERSION: u32 = 1;
/// Larger files are not ours.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Why the tokens cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// A file operation failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than its owner can read or write it.
    #[error("{} has mode {mode:03o}: others can read or change it; run: chmod 600 {}", path.display(), path.display())]
    Mode {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not what this program writes.
    #[error("{} cannot be read as a list of tokens: {why}; restore it, or remove it and make the tokens anew", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The name is taken.
    #[error("a token named {name} exists already; revoke it first, or choose another name")]
    Exists {
        /// Which name.
        name: TokenName,
    },
    /// There is none of that name.
    #[error("there is no living token named {name}")]
    Unknown {
        /// Which name.
        name: TokenName,
    },
    /// No room.
    #[error("there are {TOKENS_MAX} living tokens already; revoke one first")]
    Full,
    /// The system gives no random bits.
    #[error("the system gives no random bits: {why}")]
    NoRandom {
        /// What it said.
        why: String,
    },
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> TokenFileError + '_ {
    move |source| TokenFileError::Io { path: path.to_owned(), source }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    tokens: Vec<TokenRecord>,
}

/// What a file looked like when it was read: another inode, size or time is another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    inode: u64,
    bytes: u64,
    seconds: i64,
    nanos: i64,
    mode: u32,
}

/// Where the tokens of a data directory are kept; holds nothing open.
#[derive(Debug, Clone)]
pub struct TokenFile {
    root: PathBuf,
}

impl TokenFile {
    /// The tokens of a data directory; nothing is touched.
    #[must_use]
    pub fn at(data_dir: &Path) -> Self {
        Self { root: data_dir.to_owned() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.root.join(TOKENS)
    }

    /// What the file looks like now; `None` when there is none.
    ///
    /// # Errors
    /// [`TokenFileError::Io`].
    pub fn look(&self) -> Result<Option<Look>, TokenFileError> {
        let path = self.path();
        match std::fs::symlink_metadata(&path) {
            Ok(meta) => Ok(Some(Look {
                inode: meta.ino(),
                bytes: meta.len(),
                seconds: meta.mtime(),
                nanos: meta.mtime_nsec(),
                mode: meta.mode(),
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(&path)(error)),
        }
    }

    /// Reads the book; an empty one where there is no file.
    ///
    /// # Errors
    /// [`TokenFileError::Io`], [`TokenFileError::Mode`], [`TokenFileError::Malformed`].
    pub fn read(&self) -> Result<TokenBook, TokenFileError> {
        let path = self.path();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(TokenBook::default()),
            Err(error) => return Err(io(&path)(error.into())),
        };
        let meta = file.metadata().map_err(io(&path))?;
        let malformed = |why: String| TokenFileError::Malformed { path: path.clone(), why };
        if !meta.is_file() {
            return Err(malformed("it is not a regular file".to_owned()));
        }
        let mode = meta.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(TokenFileError::Mode { path, mode });
        }
        let mut text = String::new();
        let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(io(&path))?;
        if u64::try_from(read).is_ok_and(|read| read > FILE_BYTES_MAX) {
            return Err(malformed(format!("it is larger than {FILE_BYTES_MAX} bytes")));
        }
        let contents: Contents = serde_json::from_str(&text).map_err(|error| {
            // serde's words may repeat what the file holds: only the place is told.
            malformed(format!("line {}, column {}", error.line(), error.column()))
        })?;
        if contents.version != VERSION {
            return Err(malformed(format!(
                "it has version {}, this program reads {VERSION}",
                contents.version
            )));
        }
        if contents.tokens.len() > TOKENS_MAX {
            return Err(malformed(format!("it holds more than {TOKENS_MAX} tokens")));
        }
        Ok(TokenBook { tokens: contents.tokens })
    }

    /// Makes a token; answers it with its secret, which is kept nowhere.
    ///
    /// # Errors
    /// [`TokenFileError`].
    pub fn create(
        &self,
        name: &TokenName,
        scopes: &[Scope],
        expires_at: Option<WallMs>,
        now: WallMs,
    ) -> Result<Presented, TokenFileError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.root).map_err(io(&self.root))?;
        let _lock = self.lock()?;
        let mut book = self.read()?;
        if book.tokens.iter().any(|token| token.name == *name && token.is_live(now)) {
            return Err(TokenFileError::Exists { name: name.clone() });
        }
        // The dead make room, oldest first.
        while book.tokens.len() >= TOKENS_MAX {
            let dead =
                book.tokens.iter().position(|token| !token.is_live(now)).ok_or(TokenFileError::Full)?;
            book.tokens.remove(dead);
        }
        let token = fresh(&book)?;
        let text = token.reveal();
        let last_four = text.chars().skip(text.len().saturating_sub(4)).collect();
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        book.tokens.push(TokenRecord {
            id: token.id.clone(),
            name: name.clone(),
            secret_sha256: digest(&token.secret),
            last_four,
            scopes,
            created_at: now,
            expires_at,
            revoked_at: None,
        });
        self.write(book)?;
        Ok(token)
    }

    /// Takes a token back, for good.
    ///
    /// # Errors
    /// [`TokenFileError`].
    pub fn revoke(&self, name: &TokenName, now: WallMs) -> Result<TokenId, TokenFileError> {
        let unknown = || TokenFileError::Unknown { name: name.clone() };
        if self.look()?.is_none() {
            return Err(unknown());
        }
        let _lock = self.lock()?;
        let mut book = self.read()?;
        let found = book.tokens.iter_mut().find(|token| token.name == *name && token.is_live(now));
        let token = found.ok_or_else(unknown)?;
        token.revoked_at = Some(now);
        let id = token.id.clone();
        self.write(book)?;
        Ok(id)
    }

    /// Held while the file is read and replaced; released when dropped.
    fn lock(&self) -> Result<File, TokenFileError> {
        let path = self.root.join(LOCK);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(io(&path))?;
        // Whoever holds it is another command, for milliseconds; waiting can be broken off like any command.
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(file),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(io(&path)(error.into())),
            }
        }
    }

    fn write(&self, book: TokenBook) -> Result<(), TokenFileError> {
        let fresh = self.root.join(FRESH);
        let contents = Contents { version: VERSION, tokens: book.tokens };
        let mut text = serde_json::to_string_pretty(&contents)
            .map_err(|error| TokenFileError::Malformed { path: fresh.clone(), why: error.to_string() })?;
        text.push('\n');
        // What an interrupted command left: only the holder of the lock comes here.
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(&fresh)(error)),
            _ => {}
        }
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
        let mut file = options.map_err(io(&fresh))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io(&fresh))?;
        std::fs::rename(&fresh, self.path()).map_err(io(&fresh))?;
        sync_folder(&self.root).map_err(|error| TokenFileError::Io {
            path: self.root.clone(),
            source: std::io::Error::other(error.to_string()),
        })
    }
}

/// A token with 256 random bits and an id that no other has.
fn fresh(book: &TokenBook) -> Result<Presented, TokenFileError> {
    loop {
        let mut id = [0_u8; 6];
        let mut secret = [0_u8; SECRET_BYTES];
        let no_random = |error: getrandom::Error| TokenFileError::NoRandom { why: error.to_string() };
        getrandom::fill(&mut id).map_err(no_random)?;
        getrandom::fill(&mut secret).map_err(no_random)?;
        let Ok(id) = TokenId::new(&hex::encode(id)) else { continue };
        if !book.knows(&id) {
            return Ok(Presented { id, secret });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::Verdict;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    fn name(text: &str) -> TokenName {
        TokenName::new(text).unwrap()
    }

    fn file() -> (tempfile::TempDir, TokenFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::at(folder.path());
        (folder, file)
    }

    #[test]
    fn a_token_is_admitted_until_it_is_revoked() {
        let (_folder, file) = file();
        assert!(file.read().unwrap().is_empty() && file.look().unwrap().is_none());
        let token = file.create(&name("ops"), &[Scope::Kill, Scope::Kill], None, WallMs(1)).unwrap();
        let book = file.read().unwrap();
        let admitted = book.admit(&token, WallMs(2)).unwrap();
        assert_eq!((admitted.name.as_str(), admitted.scopes.as_slice()), ("ops", &[Scope::Kill][..]));
        let wrong = Presented { secret: [7; SECRET_BYTES], ..token.clone() };
        assert_eq!(book.admit(&wrong, WallMs(2)), Err(Verdict::Wrong));
        let other = Presented { id: TokenId::new("000000000000").unwrap(), ..token.clone() };
        assert_eq!(book.admit(&other, WallMs(2)), Err(Verdict::Wrong));
        let before = file.look().unwrap();
        assert_eq!(file.revoke(&name("ops"), WallMs(3)).unwrap(), token.id);
        assert_ne!(file.look().unwrap(), before, "a reader sees that it changed");
        assert_eq!(file.read().unwrap().admit(&token, WallMs(4)), Err(Verdict::Revoked));
        assert!(!file.read().unwrap().is_empty(), "revoking the last one does not open the door");
        assert!(matches!(file.revoke(&name("ops"), WallMs(5)), Err(TokenFileError::Unknown { .. })));
    }

    #[test]
    fn the_secret_is_in_no_file() {
        let (folder, file) = file();
        let token = file.create(&name("ops"), &[Scope::Admin], None, WallMs(1)).unwrap();
        let secret = hex::encode(token.secret);
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            assert!(!std::fs::read_to_string(&path).unwrap().contains(&secret), "{path:?}");
            let mode = std::fs::metadata(&path).unwrap().mode() & 0o777;
            assert_eq!(mode, 0o600, "{path:?}");
        }
    }

    #[test]
    fn what_others_can_read_and_what_is_not_ours_is_refused() {
        let (_folder, file) = file();
        file.create(&name("ops"), &[], None, WallMs(1)).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o644, 0o610] {
            std::fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            let error = file.read().unwrap_err();
            assert!(matches!(error, TokenFileError::Mode { .. }), "{mode:o}: {error}");
            assert!(error.to_string().contains("chmod 600"));
        }
        std::fs::set_permissions(file.path(), Permissions::from_mode(0o600)).unwrap();
        for text in ["", "{}", "[]", r#"{"version": 2, "tokens": []}"#, r#"{"version":1,"tokens":[],"x":1}"#]
        {
            std::fs::write(file.path(), text).unwrap();
            assert!(matches!(file.read(), Err(TokenFileError::Malformed { .. })), "{text}");
        }
        std::fs::remove_file(file.path()).unwrap();
        std::os::unix::fs::symlink("/dev/zero", file.path()).unwrap();
        assert!(matches!(file.read(), Err(TokenFileError::Io { .. })), "no link is followed");
    }

    #[test]
    fn names_are_unique_among_the_living_and_the_list_is_bounded() {
        let (_folder, file) = file();
        file.create(&name("ops"), &[], Some(WallMs(10)), WallMs(1)).unwrap();
        assert!(matches!(
            file.create(&name("ops"), &[], None, WallMs(9)),
            Err(TokenFileError::Exists { .. })
        ));
        file.create(&name("ops"), &[], None, WallMs(10)).unwrap();
        let mut book = file.read().unwrap();
        let pattern = book.tokens.pop().unwrap();
        book.tokens.clear();
        for number in 0..TOKENS_MAX {
            let id = TokenId::new(&format!("{number:012x}")).unwrap();
            book.tokens.push(TokenRecord { id, name: name(&format!("n{number}")), ..pattern.clone() });
        }
        file.write(book).unwrap();
        assert!(matches!(file.create(&name("more"), &[], None, WallMs(11)), Err(TokenFileError::Full)));
        file.revoke(&name("n5"), WallMs(12)).unwrap();
        file.create(&name("more"), &[], None, WallMs(13)).unwrap();
        let book = file.read().unwrap();
        assert_eq!(book.records().len(), TOKENS_MAX);
        assert!(!book.records().iter().any(|token| token.name.as_str() == "n5"), "the dead made room");
    }

    #[test]
    fn writers_come_one_after_the_other() {
        let (_folder, file) = file();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    file.create(&name(&format!("n{number}")), &[], None, WallMs(1)).unwrap();
                });
            }
        });
        assert_eq!(file.read().unwrap().records().len(), 8, "none overwrote another");
    }
}
