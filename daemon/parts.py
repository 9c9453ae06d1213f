"""The configuration in the words of each part: what derivation, facts and alerting take as plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

from alerts.writeback import Target
from connectors.mapping import FieldMapping, MappedField, holds
from daemon.alerting import AlertPolicy
from daemon.config import Config
from daemon.config.settings import UsageSource
from daemon.masking import masking
from daemon.tierplan import TierSetup
from rules.facts.settings import CADENCES, FactSettings, spell
from rules.fieldmap import Derivation, Option, SourceMapping
from store.records import Scalar
from store.usage_features import CatalogueRow

_EPOCH = date(1970, 1, 1).toordinal()
_MAPPING = set(FieldMapping.model_fields)
# The objects that are rows of a table of their own; every other one is kept under its CRM's name.
_OPPORTUNITIES = ("Opportunity", "deals")


def derivation(config: Config) -> Derivation:
    """How CRM rows become accounts, persons and touches; the order of the sources in the file is their precedence."""
    identity = config.identity
    return Derivation(
        order=tuple(config.crms),
        own_domains=frozenset(config.own_domains),
        mappings={name: source_mapping(source) for name, source in config.crms.items()},
        active_users=config.usage.active_users,
        precedence=identity.precedence,
        evaluate=identity.evaluate,
        links=identity.decided(config.folder),
        fingerprints=_fingerprints(config),
    )


def _fingerprints(config: Config) -> Mapping[str, str]:
    """A hash of the settings that each kind of row is derived by: what was derived by others is derived anew."""
    order = list(config.crms)
    identity = config.identity.model_dump(mode="json", include={"precedence", "evaluate"})
    mapped = {name: source.model_dump(mode="json", include=_MAPPING) for name, source in config.crms.items()}
    kinds: Mapping[str, object] = {
        "accounts": [order, identity, mapped],
        "contacts": [order, identity["precedence"], {name: mapping["contact"] for name, mapping in mapped.items()}],
        "activities": [order, sorted(config.own_domains)],
    }
    return {
        kind: hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]
        for kind, settings in kinds.items()
    }


def source_mapping(mapping: FieldMapping) -> SourceMapping:
    """One CRM's field mapping."""
    contact = mapping.contact
    return SourceMapping(
        fields={
            name: tuple(mapped_option(one, mapping) for one in options) for name, options in mapping.fields.items()
        },
        csm=tuple(mapped_option(one, mapping) for one in mapping.csm),
        churned=_condition(mapping.churned),
        customer=_condition(mapping.customer),
        user_field=contact.user.field if contact.user else None,
        level_field=contact.level.field if contact.level else None,
        tier_field=mapping.tier.field if mapping.tier else None,
    )


def mapped_option(mapped: MappedField, mapping: FieldMapping) -> Option:
    """One mapped field as derivation reads it."""
    kept_as = "opportunities" if mapped.object in _OPPORTUNITIES else mapped.object
    rate = mapping.currencies.rate if mapping.currencies else None
    return Option(kept_as, mapped.field, _condition(mapped.where), mapped.aggregate, mapped.by, rate)


def _condition(where: Mapping[str, object] | None) -> Callable[[Mapping[str, Scalar]], bool | None] | None:
    return partial(holds, where) if where else None


def catalogue(config: Config) -> list[CatalogueRow]:
    """What the configuration says about features, one row per name that a feed may use."""
    return [
        CatalogueRow(
            name=name,
            feature=feature,
            title=about.title or feature,
            offering=about.offering,
            list_value=about.list_value,
            released=None if about.released is None else about.released.toordinal() - _EPOCH,
            offered=about.offered,
        )
        for feature, about in config.features.items()
        for name in sorted({feature, *about.names})
    ]


def fact_settings(config: Config) -> FactSettings:
    """What the fact definitions take besides rows and `as_of`."""
    return FactSettings(
        timezone=config.timezone,
        usage=config.usage,
        rhythms={
            name: spell(source.rhythm)
            for name, source in config.sources.items()
            if isinstance(source, UsageSource) and source.rhythm
        },
        segments=config.segments,
        health=config.health_score,
        cadence=CADENCES[config.tiers.cadence],
        response=dict(enumerate(config.tiers.response, start=1)),
        renewal_types=_lower(config.opportunities.renewal),
        expansion_types=_lower(config.opportunities.expansion),
        features=config.features,
        offerings=config.offerings,
        tier_values={name: source.tier.values for name, source in config.crms.items() if source.tier},
    )


def _lower(types: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({one.lower() for one in types}))


def alert_policy(config: Config) -> AlertPolicy:
    """Where alerts go and how many; without Slack the places are named, so that a preview can show them."""
    slack = config.slack
    return AlertPolicy(
        settings=config.alerts,
        alerts_channel=slack.channels.alerts if slack else "alerts",
        operators_channel=slack.channels.operators if slack else "operators",
        routes=slack.routes if slack else {},
        links=config.alerts.links,
        timezone=config.timezone,
        currency=config.currency,
        tier_names=tuple(str(name) for name in config.tiers.names),
        metric=config.usage.metric,
        red_below=config.health_score.yellow,
    )


def tier_setup(config: Config, facts: FactSettings) -> TierSetup:
    """The tier policy, and the fields it is written to, in the precedence of the sources."""
    return TierSetup(
        facts=facts,
        policy=config.tiers,
        targets={
            name: Target(source.tier.field, source.tier.values) for name, source in config.crms.items() if source.tier
        },
        writeback=config.writeback,
        mask=masking(config.secrets),
    )
