"""GraphQL as Cube's, at `/cubejs-api/graphql`.

A document becomes semantic queries, which are asked as those of every other surface: policies, cache and
cancelling are the same. Nothing here is imported from the `graphql` package before the first request, because
most servers never get one.
"""

from ingot.api.graphql.endpoint import PATH, GraphQLApi

__all__ = ["PATH", "GraphQLApi"]
