"""What all customers share: the shop's clock, its campaigns and its catalogue."""

from dataclasses import dataclass

from ingot.templates.generator.campaigns import Campaigns
from ingot.templates.generator.clock import Clock
from ingot.templates.generator.products import Products


@dataclass(frozen=True, slots=True)
class Market:
    """The world that the customers of every chunk meet."""

    clock: Clock
    campaigns: Campaigns
    products: Products
