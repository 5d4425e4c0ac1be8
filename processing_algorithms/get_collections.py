"""epoch:getcollections: what is in the store."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputString,
    QgsProcessingParameterFeatureSink,
    QgsWkbTypes,
)

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.bridge.layers import FeatureWriter, qgs_fields
from epoch_plugin.processing_algorithms.base import EpochAlgorithm


class GetCollections(EpochAlgorithm):
    """Get collections."""

    NAME, GROUP = "getcollections", "Collections"
    OUTPUT = "OUTPUT"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Get collections")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.addParameter(
            QgsProcessingParameterFeatureSink(self.OUTPUT, self.tr("Collections"), QgsProcessing.SourceType.TypeVector, optional=True)
        )
        self.addOutput(QgsProcessingOutputString("RESPONSE", self.tr("Collections and their jobs (JSON)")))

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Read the collections; write them as a table where one is wanted."""
        from epoch_plugin.core.store import collections
        from epoch_plugin.core.store.listing import collections_response
        from epoch_plugin.core.store.schema import TABLES

        with self.store(parameters, context).reading() as conn:
            response, rows = collections_response(conn), collections.all_rows(conn)
        outputs: dict[str, Any] = {"RESPONSE": json.dumps(response, ensure_ascii=False)}
        if parameters.get(self.OUTPUT):
            columns = TABLES["collections"].columns
            fields = qgs_fields((column.name, column.type, column.alias) for column in columns)
            no_crs = QgsCoordinateReferenceSystem()
            sink, outputs[self.OUTPUT] = self.parameterAsSink(parameters, self.OUTPUT, context, fields, QgsWkbTypes.Type.NoGeometry, no_crs)
            writer = FeatureWriter(sink, fields, self.OUTPUT)
            for row in rows:
                values = (getattr(row, column.name) for column in columns)
                writer.add([json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value for value in values])
            writer.close()
        return outputs
