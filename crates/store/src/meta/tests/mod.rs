//! One suite, run against both databases.

mod accounts;
mod associations;
mod canonical;
mod copying;
mod fixture;
mod group_races;
mod identities;
mod listing;
mod log;
mod package_groups;
mod plans;
mod postgres;
mod publishing;
mod repositories;
mod sessions;
mod shared;
mod sqlite;
mod statuses;

/// Stamps every test of the suite onto a backend. Each gets a database of its own; without the backend's programs it
/// says that it was skipped.
macro_rules! store_suite {
    ($backend:ident) => {
        store_suite!($backend,
            accounts {
                deleting_a_user_removes_its_keys_policies_and_tokens,
                the_latest_use_of_a_key_is_known_until_the_key_is_deleted,
                a_key_without_its_user_is_not_created,
                keys_made_at_once_do_not_exceed_the_limit,
                tokens_work_while_their_key_is_active,
                tokens_are_listed_newest_first_and_expired_ones_are_forgotten,
                user_policies_are_listed_by_name,
                names_are_taken_once,
            }
            sessions {
                a_session_is_read_as_it_was_made,
                sessions_and_their_tokens_end_with_their_role_or_user,
                a_session_is_kept_as_long_as_a_token_that_it_obtained,
                a_sessions_token_is_ended_by_that_session_only,
                a_web_identity_token_is_spent_once,
                roles_and_providers_are_found_as_they_were_made,
            }
            identities {
                a_user_has_the_policies_of_its_groups,
                identities_that_something_hangs_on_stay,
                identities_are_listed_by_name_and_path,
                tags_of_identities_are_limited_and_removed,
            }
            repositories {
                a_domain_with_repositories_is_not_deleted,
                quotas_limit_domains_and_repositories,
                upstreams_and_an_external_connection_exclude_each_other,
                a_deleted_upstream_dangles_until_the_list_is_written_again,
                upstreams_are_of_the_same_domain,
                policies_are_guarded_by_their_revision,
                tags_hang_on_resources_that_exist,
                repositories_are_listed_by_prefix_and_administrator,
                deleting_a_repository_frees_what_it_held,
                only_control_changes_move_the_control_generation,
                every_change_is_journaled,
            }
            publishing {
                a_version_is_read_as_it_was_published,
                an_asset_is_removed_with_its_bytes_and_the_revision_changes,
                publishing_the_same_version_twice_conflicts,
                a_version_that_may_grow_at_any_time_stays_in_its_status,
                a_version_is_published_under_another_name_in_one_step,
                adding_assets_is_idempotent_and_never_replaces_bytes,
                an_unfinished_version_is_sealed_by_its_last_publish,
                origin_settings_come_from_the_first_version_and_are_checked_again,
                tags_set_on_ingestion_leave_what_is_there,
                a_blob_counts_once_per_domain,
                parallel_first_publishes_all_succeed,
                a_package_revision_rises_with_each_visible_change,
                metadata_is_replaced_under_its_revision_only,
                an_archived_version_takes_no_assets,
            }
            statuses {
                a_batch_is_all_or_nothing,
                a_disposed_version_can_only_be_deleted,
                deleting_versions_removes_their_tags_and_keeps_the_package,
                expected_status_and_revision_are_checked,
                deleting_a_package_forgets_its_settings,
                put_tag_needs_the_version_and_the_tag,
            }
            canonical {
                one_of_several_spellings_at_once_is_published,
                a_version_that_came_from_elsewhere_refuses_its_other_spellings,
                canonical_texts_that_are_missing_are_filled_in,
            }
            copying {
                retaining_keeps_origin_and_times,
                retaining_adds_missing_assets_once,
                retaining_respects_a_blocked_upstream,
                copying_is_all_or_nothing,
                copying_takes_the_tags_along,
                copying_over_other_content_needs_permission,
            }
            listing {
                packages_are_listed_by_format_namespace_and_prefix,
                packages_are_filtered_by_origin_settings,
                versions_are_listed_by_text_or_time,
                names_of_several_repositories_are_merged,
                revisions_are_those_of_repositories_that_have_the_package,
                assets_are_listed_without_sidecars,
                blobs_are_listed_in_pages,
                index_documents_keep_their_revision_while_the_body_stays,
                foreign_page_tokens_are_refused,
                sightings_are_kept_with_their_index,
                a_twin_differs_in_case_and_punctuation_only,
            }
            log {
                records_become_leaves_in_order_whatever_the_steps,
                a_record_that_becomes_visible_late_is_sealed_late,
                nodes_that_seal_at_once_make_one_log,
                what_was_done_to_the_journal_is_named,
                old_records_are_cut_and_the_rest_is_proven,
                checkpoints_are_thinned_out,
                every_change_of_a_version_has_its_event,
                deliveries_of_a_package_wait_for_each_other,
                a_publish_is_not_held_up_by_sealing,
            }
            package_groups {
                every_domain_has_the_root_group,
                groups_find_their_place_in_the_tree,
                the_tree_is_what_the_patterns_say_after_any_changes,
                groups_are_listed_by_prefix_and_by_parent,
                lists_of_repositories_tell_what_changed,
                a_deleted_repository_is_on_no_list,
                groups_have_tags_and_are_journaled,
            }
            associations {
                a_package_belongs_to_the_most_specific_group,
                an_inherited_list_is_its_owners,
                a_group_is_asked_inside_the_transaction,
                first_settings_are_open_where_a_group_restricts,
                a_groups_packages_are_listed_once_each,
                names_are_folded_anew_when_the_rules_have_changed,
            }
            group_races {
                nothing_that_a_group_forbids_is_stored_after_the_group_has_changed,
            }
            shared {
                two_handles_see_each_others_writes,
                the_epoch_stays_while_nothing_is_written,
                opening_several_times_at_once_migrates_once,
                a_failing_change_does_not_affect_its_neighbours,
                counts_stay_right_under_concurrent_changes,
            }
        );
    };
    ($backend:ident, $($module:ident { $($name:ident,)* })*) => {
        mod $backend {
            $(mod $module {
                use crate::meta::tests as suite;
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $name() {
                        if let Some(fixture) = suite::$backend::fixture(stringify!($name)).await {
                            Box::pin(suite::$module::$name(fixture)).await;
                        }
                    }
                )*
            })*
        }
    };
}

mod on {
    store_suite!(sqlite);
    store_suite!(postgres);
}
