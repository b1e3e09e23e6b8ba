cdef extern from *:
    """
    static PyObject *canx_handlers[4];

    /* Saves a propagating exception and restores it afterwards. */
    static void canx_call(int which, PyObject *capsule, void *address) {
        PyObject *type, *value, *traceback, *result;
        PyErr_Fetch(&type, &value, &traceback);
        if (capsule != NULL)
            address = PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
        result = PyObject_CallFunction(canx_handlers[which], "K", (unsigned long long)(size_t)address);
        if (result == NULL)
            PyErr_WriteUnraisable(canx_handlers[which]);
        Py_XDECREF(result);
        PyErr_Restore(type, value, traceback);
    }

    /* Both structs end with the release callback and private data, after 64-bit integers and pointers. */
    typedef struct { const char *texts[3]; long long counts[2]; void *pointers[2]; void *release; } canx_schema;
    typedef struct { long long counts[5]; void *pointers[3]; void *release; } canx_array;

    static void canx_release(int which, void *address, void **release) {
        if (Py_IsInitialized()) {  /* else the process is ending and frees its memory */
            PyGILState_STATE gil = PyGILState_Ensure();
            canx_call(which, NULL, address);
            PyGILState_Release(gil);
        }
        *release = NULL;
    }
    static void canx_release_schema(canx_schema *schema) { canx_release(0, schema, &schema->release); }
    static void canx_release_array(canx_array *array) { canx_release(1, array, &array->release); }
    static void canx_destroy_schema(PyObject *capsule) { canx_call(2, capsule, NULL); }
    static void canx_destroy_array(PyObject *capsule) { canx_call(3, capsule, NULL); }

    static size_t canx_install(int which, PyObject *handler) {
        Py_INCREF(handler);
        Py_XDECREF(canx_handlers[which]);
        canx_handlers[which] = handler;
        switch (which) {
            case 0: return (size_t)canx_release_schema;
            case 1: return (size_t)canx_release_array;
            case 2: return (size_t)canx_destroy_schema;
            default: return (size_t)canx_destroy_array;
        }
    }
    """
    size_t install_in_c "canx_install"(int which, object handler)
