//! `[rates]` of `larder.toml`.

use std::num::NonZeroU32;

use larder_core::access::Action;
use larder_core::services::Rates;

use super::ConfigError;
use super::file::RatesSection;

/// What the section says, over CodeArtifact's rates or none. 0 takes a limit away.
pub(super) fn rates(section: &RatesSection) -> Result<Rates, ConfigError> {
    let mut rates = if section.codeartifact { Rates::codeartifact() } else { Rates::default() };
    for (rate, said) in [
        (&mut rates.token, section.per_token),
        (&mut rates.stranger, section.per_address),
        (&mut rates.account_reads, section.account_reads),
        (&mut rates.account_writes, section.account_writes),
    ] {
        if let Some(a_second) = said {
            *rate = NonZeroU32::new(a_second);
        }
    }
    for (name, a_second) in &section.operations {
        let action = Action::CODEARTIFACT.iter().copied().find(|action| action.name() == name).ok_or_else(|| {
            ConfigError(format!("[rates.operations] '{name}' is no operation such as GetAuthorizationToken"))
        })?;
        match NonZeroU32::new(*a_second) {
            Some(a_second) => rates.operations.insert(action, a_second),
            None => rates.operations.remove(&action),
        };
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rates, ConfigError> {
        rates(&toml::from_str(text).expect("a section"))
    }

    #[test]
    fn nothing_is_limited_unless_it_is_said() {
        assert_eq!(read("").expect("rates"), Rates::default());
    }

    #[test]
    fn single_rates_are_set_over_those_of_codeartifact() {
        let rates = read("codeartifact = true\nper-token = 0\naccount-reads = 5\noperations = { ListPackages = 0 }");
        let mut wanted = Rates { token: None, account_reads: NonZeroU32::new(5), ..Rates::codeartifact() };
        wanted.operations.remove(&Action::ListPackages);
        assert_eq!(rates.expect("rates"), wanted);
    }

    #[test]
    fn an_unknown_operation_is_named() {
        let error = read("operations = { ListPackage = 1 }").expect_err("unknown");
        assert!(error.0.contains("'ListPackage'"), "{}", error.0);
    }
}
