"""A QGIS desktop in small: a real main window with docks, canvas, message bar and the hooks that the plugin uses."""

from __future__ import annotations

from qgis.gui import QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QMainWindow, QMenu, QToolBar, QVBoxLayout, QWidget


class DesktopIface(QObject):
    """Implements what the plugin calls of QgisInterface, and remembers what was added."""

    def __init__(self):
        super().__init__()
        self.window = QMainWindow()
        self.window.setObjectName("QgisApp")
        middle = QWidget(self.window)
        layout = QVBoxLayout(middle)
        self.bar, self.canvas = QgsMessageBar(middle), QgsMapCanvas(middle)
        layout.addWidget(self.bar)
        layout.addWidget(self.canvas)
        self.window.setCentralWidget(middle)
        self.window.resize(1200, 800)
        self.toolbar, self.menu = QToolBar(self.window), QMenu(self.window)
        self.window.addToolBar(self.toolbar)
        self.option_pages, self.blockers, self.opened_options = [], [], []
        self.active = None

    def mainWindow(self):
        return self.window

    def mapCanvas(self):
        return self.canvas

    def messageBar(self):
        return self.bar

    def setActiveLayer(self, layer):
        self.active = layer

    def activeLayer(self):
        return self.active

    def zoomToActiveLayer(self):
        self.canvas.setDestinationCrs(self.active.crs())
        self.canvas.setLayers([self.active])
        self.canvas.setExtent(self.active.extent())

    def newProject(self):
        return True

    def addDockWidget(self, area, dock):
        self.window.addDockWidget(area, dock)
        dock.show()

    def removeDockWidget(self, dock):
        self.window.removeDockWidget(dock)

    def addToolBarIcon(self, action):
        self.toolbar.addAction(action)

    def removeToolBarIcon(self, action):
        self.toolbar.removeAction(action)

    def addPluginToMenu(self, name, action):
        self.menu.addAction(action)

    def removePluginMenu(self, name, action):
        self.menu.removeAction(action)

    def registerOptionsWidgetFactory(self, factory):
        self.option_pages.append(factory)

    def unregisterOptionsWidgetFactory(self, factory):
        self.option_pages.remove(factory)

    def registerApplicationExitBlocker(self, blocker):
        self.blockers.append(blocker)

    def unregisterApplicationExitBlocker(self, blocker):
        self.blockers.remove(blocker)

    def showOptionsDialog(self, parent, page):
        self.opened_options.append(page)
