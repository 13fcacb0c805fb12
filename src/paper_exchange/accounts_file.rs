//! Reads accounts and keys from a JSON file.
//!
//! `{"accounts": [{"name", "maker", "taker", "balances": {"USDT": "1000"}, "keys": [{"api_key", "secret"
//! or "public_key_pem"}]}]}`. Unknown members are refused; errors name file, member path and position.

use super::config::{AccountConfig, KeyConfig, KeyProof};
use super::engine::{Amount, Asset, Rate};
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why an accounts file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not of the expected form.
    #[error("{}: {at}: {why}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Path of the member.
        at: String,
        /// What is wrong.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    accounts: Vec<AccountForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountForm {
    name: String,
    #[serde(default)]
    maker: Option<Rate>,
    #[serde(default)]
    taker: Option<Rate>,
    #[serde(default)]
    balances: BTreeMap<String, Amount>,
    keys: Vec<KeyForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    api_key: String,
    #[serde(default)]
    secret: Option<SecretString>,
    #[serde(default)]
    public_key_pem: Option<String>,
}

/// Reads a file.
///
/// # Errors
/// [`AccountsError`].
pub fn read(path: &Path) -> Result<Vec<AccountConfig>, AccountsError> {
    let io = |source| AccountsError::Io { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(io)?;
    let form = |at: String, why: String| AccountsError::Form { path: path.to_owned(), at, why };
    let mut reader = serde_json::Deserializer::from_str(&text);
    let file: FileForm = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| form(error.path().to_string(), error.inner().to_string()))?;
    if file.accounts.is_empty() {
        return Err(form("accounts".into(), "at least one account is needed".into()));
    }
    let mut accounts = Vec::new();
    for (index, account) in file.accounts.into_iter().enumerate() {
        accounts.push(convert(account).map_err(|(at, why)| form(format!("accounts[{index}].{at}"), why))?);
    }
    Ok(accounts)
}

fn convert(account: AccountForm) -> Result<AccountConfig, (String, String)> {
    let mut balances = Vec::new();
    for (asset, amount) in account.balances {
        let name = Asset::new(&asset).map_err(|error| (format!("balances.{asset}"), error.to_string()))?;
        balances.push((name, amount));
    }
    let mut keys = Vec::new();
    for (index, key) in account.keys.into_iter().enumerate() {
        let proof = match (key.secret, key.public_key_pem) {
            (Some(secret), None) => KeyProof::Secret(secret),
            (None, Some(pem)) => KeyProof::PublicKeyPem(pem),
            _ => {
                let why = "expected exactly one of \"secret\" and \"public_key_pem\"".to_owned();
                return Err((format!("keys[{index}]"), why));
            }
        };
        keys.push(KeyConfig { api_key: key.api_key, proof });
    }
    let usual = Rate::from_units(100_000);
    Ok(AccountConfig {
        name: account.name,
        keys,
        balances,
        maker: account.maker.unwrap_or(usual),
        taker: account.taker.unwrap_or(usual),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn of(text: &str) -> Result<Vec<AccountConfig>, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        read(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn accounts_are_read() {
        let accounts = of(r#"{"accounts":[{"name":"a","taker":"0.002","balances":{"USDT":"5"},
            "keys":[{"api_key":"k","secret":"s"},{"api_key":"e","public_key_pem":"PEM"}]}]}"#);
        let accounts = accounts.unwrap();
        let account = accounts.first().unwrap();
        assert_eq!((account.keys.len(), account.taker.to_string()), (2, "0.00200000".into()));
        assert_eq!(account.maker.to_string(), "0.00100000");
    }

    #[test]
    fn the_wrong_member_is_named() {
        let cases = [
            ("{}", "accounts"),
            (r#"{"accounts":[]}"#, "at least one"),
            (r#"{"accounts":[{"name":"a","keys":[],"extra":1}]}"#, "extra"),
            (r#"{"accounts":[{"name":"a","keys":[{"api_key":"k"}]}]}"#, "accounts[0].keys[0]"),
            (r#"{"accounts":[{"name":"a","keys":[],"balances":{"us dt":"1"}}]}"#, "balances.us dt"),
            (r#"{"accounts":[{"name":"a","keys":[],"balances":{"USDT":1.5}}]}"#, "accounts[0].balances"),
        ];
        for (text, fragment) in cases {
            let error = of(text).unwrap_err();
            assert!(error.contains(fragment), "{text}: {error}");
        }
    }
}
