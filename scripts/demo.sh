#!/bin/sh
# The sample as a user of the Toolbox would process it: plots file -> store -> all statistics -> layers, NDJSON, the collection and its
# regions added up beside their reference areas, styled project, one-page report. Everything happens in a QGIS profile and a store of its own; results land in ./demo.
cd "$(dirname "$0")/.."
. scripts/env.sh
sample="epoch_plugin/resources/sample"
out="$root/demo"
all=eudr_deforestation,luc_emissions,biodiversity,water
rm -rf "$out"
mkdir -p "$out"
export EPOCH_STORE="$out/collections.gpkg"
ln -s "$root" "$QGIS_PLUGINPATH/epoch_plugin"
log="$work/log.txt"

run() {  # run ID PARAMETER=VALUE...: silent unless it fails
    id=$1
    shift
    echo "  epoch:$id"
    "$qgis_process" --json run "epoch:$id" -- "$@" >"$work/$id.json" 2>"$log" || { cat "$log" >&2; exit 1; }
}

"$qgis_process" plugins enable epoch_plugin >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
echo "Processing $sample/plots.geojson"
run checkdatasets "DATASETS=$sample/datasets_all.json"
run stageplots "INPUT_FILE=$sample/plots.geojson" COLLECTION_NAME=vavoua_sample CROP_TYPE=cocoa "COUNTRY=Côte d'Ivoire" \
    PLOT_ID_FIELD=plotId "DESCRIPTION=Synthetic plots with planted truth"
run uploadplots COLLECTION=vavoua_sample
run batchzonalstats COLLECTION=vavoua_sample END_DATE=2025-12-31 "DATASETS=$sample/datasets_all.json" "STATS=$all,extra"
run fetchdeforestationcheck COLLECTION=vavoua_sample LIMIT=0 "OUTPUT=$out/plots.gpkg" "NDJSON=$out/plots.ndjson"
mv "$work/fetchdeforestationcheck.json" "$work/fetch.json"
run fetchplots COLLECTION=vavoua_sample "STATS=$all,extra" LIMIT=0 "OUTPUT=$out/all_statistics.gpkg" "NDJSON=$out/all_statistics.ndjson"
run fetchplots COLLECTION=vavoua_sample "STATS=$all,extra" AGGREGATE=true "NDJSON=$out/aggregate.ndjson"
run fetchsupplyshed COLLECTION=vavoua_sample STAT_TYPE=all "NDJSON=$out/regions.ndjson"
run collectionproject COLLECTION=vavoua_sample "LAYER=$out/plots.gpkg" "PROJECT=$out/vavoua_sample.qgz"
run collectionreport COLLECTION=vavoua_sample "OUTPUT=$out/vavoua_sample.html"

"$python" scripts/demo_lines.py "$work/collectionreport.json" "$out"
