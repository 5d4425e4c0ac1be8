# On a fresh Debian 12 with git and make: `make demo`, `make test`. Nothing else is needed.
.PHONY: demo test test-other-qgis bench screenshots sample package setup clean

demo: setup  ## plots file -> all statistics -> layers, comparison with reference areas, styled project, report
	sh scripts/demo.sh

test: setup  ## lint, types, security, core, QGIS, qgis_process and packaging tests
	sh scripts/test.sh

test-other-qgis: setup  ## the same tests in a chroot with QGIS 3.40 (SUITE=sid: 3.44); needs root and ../shared/tools
	sh scripts/other_qgis.sh $(SUITE)

bench: setup  ## measure the engine beside its peers; about half an hour, QUICK=1: a minute; data in BENCH_DIR
	sh scripts/bench.sh $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))

screenshots: setup  ## the real main window with each dock on the sample, light and dark, 100 and 200 %, into build/screenshots and docs/images
	sh scripts/screenshots.sh

sample: setup  ## write the sample landscape again (epoch_plugin/resources/sample)
	PROJ_DATA=/usr/share/proj .venv/bin/python scripts/make_sample.py

package: setup  ## dist/epoch_plugin.zip, as QGIS installs it
	.venv/bin/python scripts/package.py

setup:
	sh scripts/setup.sh

clean:
	rm -rf .venv build demo dist .pytest_cache .mypy_cache .ruff_cache .qgis-settings
