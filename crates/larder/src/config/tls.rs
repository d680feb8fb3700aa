//! TLS of the listener.

use std::path::PathBuf;

use super::ConfigError;

/// Whether and with what the listener encrypts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TlsSettings {
    Off,
    /// With the operator's certificate.
    Files(CertificateFiles),
    /// With a certificate of a local authority in the data directory.
    SelfSigned,
}

/// A certificate with its key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What one source of configuration says of TLS.
#[derive(Debug, Clone, Default)]
pub(crate) struct TlsOptions {
    pub(crate) mode: Option<String>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

impl TlsOptions {
    /// Settles what the command line says, which wins, with what the file says.
    ///
    /// # Errors
    /// For an unknown mode, or one half of a certificate and key.
    pub(crate) fn settle(self, file: Self) -> Result<TlsSettings, ConfigError> {
        let chosen = if self.mode.is_some() {
            self
        } else if self.certificate.is_some() || self.key.is_some() {
            Self { mode: None, certificate: self.certificate.or(file.certificate), key: self.key.or(file.key) }
        } else {
            file
        };
        match (chosen.mode.as_deref(), chosen.certificate, chosen.key) {
            (Some("off"), ..) | (None, None, None) => Ok(TlsSettings::Off),
            (Some("self-signed"), None, None) => Ok(TlsSettings::SelfSigned),
            (Some("self-signed"), ..) => {
                Err(ConfigError("tls: 'self-signed' makes its own certificate; leave tls-cert and tls-key out".into()))
            }
            (Some(other), ..) => Err(ConfigError(format!("tls: '{other}' is neither self-signed nor off"))),
            (None, Some(certificate), Some(key)) => Ok(TlsSettings::Files(CertificateFiles { certificate, key })),
            (None, Some(_), None) => Err(ConfigError("tls-cert: the certificate's key is missing: tls-key".into())),
            (None, None, Some(_)) => Err(ConfigError("tls-key: the key's certificate is missing: tls-cert".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(mode: Option<&str>, certificate: Option<&str>, key: Option<&str>) -> TlsOptions {
        TlsOptions {
            mode: mode.map(str::to_owned),
            certificate: certificate.map(PathBuf::from),
            key: key.map(PathBuf::from),
        }
    }

    #[test]
    fn the_command_line_wins_over_the_file_as_a_whole() {
        let files = |certificate: &str, key: &str| {
            TlsSettings::Files(CertificateFiles { certificate: certificate.into(), key: key.into() })
        };
        let file = || options(None, Some("a"), Some("b"));
        assert_eq!(TlsOptions::default().settle(file()).expect("good"), files("a", "b"));
        assert_eq!(options(None, Some("c"), None).settle(file()).expect("good"), files("c", "b"));
        assert_eq!(options(Some("self-signed"), None, None).settle(file()).expect("good"), TlsSettings::SelfSigned);
        assert_eq!(options(Some("off"), None, None).settle(file()).expect("good"), TlsSettings::Off);
        assert_eq!(TlsOptions::default().settle(TlsOptions::default()).expect("good"), TlsSettings::Off);
    }

    #[test]
    fn halves_and_unknown_modes_are_refused() {
        for wrong in [
            options(None, Some("a"), None),
            options(None, None, Some("b")),
            options(Some("on"), None, None),
            options(Some("self-signed"), Some("a"), Some("b")),
        ] {
            assert!(wrong.clone().settle(TlsOptions::default()).is_err(), "{wrong:?}");
        }
    }
}
